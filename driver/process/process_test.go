package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/driver/process"
)

// workerKey is the environment variable that holds the path of the tests' worker.
const workerKey = "EXERCISE_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(parentKey) != "" {
		beParent()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "understudy-process-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path, err := drivertest.BuildWorker(dir, runtime.GOOS)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv(workerKey, path)
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// parentKey in the environment makes this test binary a balancer that starts one worker and waits to be killed. Its value is
// the worker's port.
const parentKey = "EXERCISE_PARENT"

// beParent never returns.
func beParent() {
	d, err := process.New(process.Options{Executable: worker()})
	if err != nil {
		panic(err)
	}
	var port int
	fmt.Sscan(os.Getenv(parentKey), &port)
	inst, err := d.Start(context.Background(), driver.Spec{Worker: "a", HostPort: port, Env: []string{"EXERCISE_BEHAVIOUR=stubborn"}})
	if err != nil {
		panic(err)
	}
	fmt.Println("started", inst.ID)
	select {}
}

func worker() string { return os.Getenv(workerKey) }

func newDriver(t *testing.T) *process.Driver {
	t.Helper()
	d, err := process.New(process.Options{Executable: worker()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestTheDriverPassesTheSuite(t *testing.T) {
	drivertest.Exercise(t, func(t *testing.T) drivertest.Harness { return drivertest.Harness{Driver: newDriver(t)} })
}

func TestTheDriverPassesTheSuiteWithACommand(t *testing.T) {
	drivertest.Exercise(t, func(t *testing.T) drivertest.Harness {
		return drivertest.Harness{Driver: newDriver(t), Spec: driver.Spec{Command: []string{worker(), "--listen", "127.0.0.1:$PORT"}}}
	})
}

// spec is a worker at a free port.
func spec(t *testing.T, command ...string) driver.Spec {
	return driver.Spec{Pool: "p", Worker: "a", Generation: "g", HostPort: drivertest.FreePort(t), Command: command,
		Env: []string{"UNDERSTUDY_IDENTITY=g", "FOO=bar", "PORT=1"}}
}

// mustStart starts a worker and waits until it answers.
func mustStart(t *testing.T, d *process.Driver, s driver.Spec) driver.Instance {
	t.Helper()
	inst, err := d.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers", func() bool {
		header, _, err := drivertest.Get(t.Context(), inst.Address+"/")
		return err == nil && header.Get(drivertest.IdentityHeader) == s.Generation
	})
	return inst
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestAWorkerGetsItsPortItsEnvironmentAndNoneOfOurSettings(t *testing.T) {
	t.Setenv("UNDERSTUDY_ADMIN_TOKEN", "secret")
	t.Setenv("OURS", "inherited")
	d := newDriver(t)
	s := spec(t, worker(), "--listen", "127.0.0.1:$PORT", "${PORT}")
	inst := mustStart(t, d, s)
	_, body, err := drivertest.Get(t.Context(), inst.Address+"/env")
	if err != nil {
		t.Fatal(err)
	}
	got := "\n" + body
	for _, line := range []string{fmt.Sprintf("PORT=%d", s.HostPort), "HOST=127.0.0.1", "FOO=bar", "OURS=inherited", "UNDERSTUDY_IDENTITY=g",
		fmt.Sprintf("127.0.0.1:%d", s.HostPort), fmt.Sprint(s.HostPort)} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("the worker lacks %q in %s", line, got)
		}
	}
	for _, line := range []string{"PORT=1", "UNDERSTUDY_ADMIN_TOKEN=secret"} {
		if strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("the worker has %q", line)
		}
	}
}

func TestAProgramThatCannotBeRunIsAMissingImage(t *testing.T) {
	d := newDriver(t)
	plain := filepath.Join(t.TempDir(), "plain")
	os.WriteFile(plain, []byte("no program"), 0o600)
	image := spec(t)
	image.Image = "nginx"
	for what, s := range map[string]driver.Spec{
		"not there":      spec(t, "no-such-program"),
		"no such path":   spec(t, "/no/such/program"),
		"not executable": spec(t, plain),
		"only an image":  image,
	} {
		_, start := d.Start(t.Context(), s)
		prepare := d.Prepare(t.Context(), s)
		if !errors.Is(start, driver.ErrImageMissing) || !errors.Is(prepare, driver.ErrImageMissing) {
			t.Errorf("%s: Start returns %v, Prepare %v, want ErrImageMissing", what, start, prepare)
		}
	}
	if err := d.Prepare(t.Context(), spec(t)); err != nil {
		t.Errorf("the built-in worker: %v", err)
	}
	if all, _ := d.List(t.Context()); len(all) != 0 {
		t.Errorf("left behind: %+v", all)
	}
}

func TestWhatAWorkerHasStartedEndsWithIt(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		stop   bool
	}{
		"stopped":            {`"$0" --listen "127.0.0.1:$PORT" & wait`, true},
		"deaf to the asking": {`trap "" TERM; "$0" --listen "127.0.0.1:$PORT" & wait`, true},
		"ended by itself":    {`"$0" --listen "127.0.0.1:$PORT" & read line < "$FIFO"; exit 3`, false},
	} {
		t.Run(name, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			d := newDriver(t)
			s := spec(t, "sh", "-c", tc.script, worker())
			s.Env = append(s.Env, "FIFO="+fifo)
			inst := mustStart(t, d, s)
			if tc.stop {
				if err := d.Stop(t.Context(), inst.ID, 50*time.Millisecond); err != nil {
					t.Fatal(err)
				}
			} else {
				if err := os.WriteFile(fifo, []byte("end\n"), 0); err != nil {
					t.Fatal(err)
				}
				eventually(t, "it has ended", func() bool {
					got, err := d.Inspect(t.Context(), inst.ID)
					return err == nil && !got.Running && got.ExitCode == 3
				})
			}
			if !drivertest.Free(s.HostPort) {
				t.Error("what it started still holds its port")
			}
		})
	}
}

func TestAWorkerEndedByASignalHasTheShellsCode(t *testing.T) {
	d := newDriver(t)
	hints := d.Watch(t.Context())
	stopped := mustStart(t, d, spec(t))
	if err := d.Stop(t.Context(), stopped.ID, time.Minute); err != nil { // no news: the first hint is of the other one
		t.Fatal(err)
	}
	inst, err := d.Start(t.Context(), spec(t, "sh", "-c", "echo going; kill -9 $$"))
	if err != nil {
		t.Fatal(err)
	}
	if id := <-hints; id != inst.ID {
		t.Errorf("the hint is %s", id)
	}
	why, err := driver.Exit(t.Context(), d, inst.ID)
	if err != nil || why.Code != 137 || len(why.Logs) != 1 || why.Logs[0] != "going" {
		t.Errorf("driver.Exit returns %+v, %v", why, err)
	}
}

func TestCloseEndsEveryWorkerAndRefusesNewOnes(t *testing.T) {
	d, err := process.New(process.Options{Executable: worker()})
	if err != nil {
		t.Fatal(err)
	}
	polite := mustStart(t, d, spec(t))
	deaf := spec(t, worker(), "--listen", "127.0.0.1:$PORT")
	deaf.Worker, deaf.Env = "b", append(deaf.Env, "EXERCISE_BEHAVIOUR=stubborn")
	stubborn := mustStart(t, d, deaf)
	var group sync.WaitGroup
	for i := range 4 { // starts and the end at the same time
		s := spec(t)
		s.Worker = fmt.Sprint("late", i)
		group.Go(func() { d.Start(t.Context(), s) })
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	if all, err := d.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("left: %+v, %v", all, err)
	}
	if !drivertest.Free(polite.HostPort) || !drivertest.Free(stubborn.HostPort) {
		t.Error("a worker still holds its port")
	}
	if _, err := d.Start(t.Context(), spec(t)); err == nil {
		t.Error("a closed driver starts workers")
	}
}

func TestAStopThatIsCancelledMayBeTriedAgain(t *testing.T) {
	d := newDriver(t)
	s := spec(t)
	s.Env = append(s.Env, "EXERCISE_BEHAVIOUR=stubborn")
	inst := mustStart(t, d, s)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := d.Stop(ctx, inst.ID, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop returns %v", err)
	}
	if all, _ := d.List(t.Context()); len(all) != 1 || !all[0].Running {
		t.Errorf("after that the list is %+v", all)
	}
	if err := d.Stop(t.Context(), inst.ID, 0); err != nil || !drivertest.Free(s.HostPort) {
		t.Errorf("the second Stop returns %v", err)
	}
}
