package docker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/driver"
	"understudy/driver/drivertest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", "2"); err != nil { // more starts at a time are each slower, and no sooner done
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "understudy-docker-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path, err := drivertest.BuildWorker(dir, "linux")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv(workerKey, path)
	release := keepWorkerImage()
	code := m.Run()
	release()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// workerKey is the environment variable that holds the path of the tests' worker.
const workerKey = "UNDERSTUDY_TEST_WORKER"

// testWorker is the path of the static program that the tests' worker images are made of.
func testWorker() string { return os.Getenv(workerKey) }

// realDriver is a driver on the real engine, for an instance of its own, everything of which is removed after the test. Without
// an engine the test is skipped, or fails where UNDERSTUDY_REQUIRE_DOCKER=1 says that there must be one.
func realDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New(t.Context(), Options{
		Instance: instanceName(),
		Binary:   testWorker(),
		Log:      testLog(t),
	})
	if errors.Is(err, driver.ErrUnavailable) && os.Getenv("UNDERSTUDY_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if lines, err := d.Sweep(ctx, false); err != nil {
			t.Errorf("after the test, Sweep removed %q: %v", lines, err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("after the test, Close: %v", err)
		}
	})
	return d
}

// keepWorkerImage makes the image of the tests' worker and a container that never runs and keeps it in use, so that the tests,
// each of which sweeps behind itself, need not make it again and again. Without an engine it does nothing.
func keepWorkerImage() (release func()) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	d, err := New(ctx, Options{Instance: instanceName(), Binary: testWorker()})
	if err != nil {
		cancel()
		return func() {}
	}
	p, err := d.plan(ctx, driver.Spec{Pool: "keeper", Worker: "w", HostPort: 1}, false)
	if err == nil {
		_, err = d.engine.api().ContainerCreate(ctx, p.config, p.host, nil, nil, p.name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests' worker image is made for each test:", err)
	}
	cancel()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := d.Sweep(ctx, false); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		d.Close()
	}
}

// instanceName is a new one for each call.
func instanceName() string { return "test-" + strconv.FormatInt(time.Now().UnixNano(), 36) }

// ownWorker is a worker like the others but for its content, so that its image is this test's alone.
func ownWorker(t *testing.T) string {
	t.Helper()
	program, err := os.ReadFile(testWorker())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(path, append(program, instanceName()...), 0o755); err != nil { // what follows the program is not looked at
		t.Fatal(err)
	}
	return path
}

func TestTheDriverPassesTheSuite(t *testing.T) {
	t.Parallel()
	drivertest.Exercise(t, lanes(t, driver.Spec{}))
}

// lanes are drivers that the tests of a suite take in turn, a few at a time, and leave without workers: their networks, which are what the engine
// takes longest for, are made once for each and not for each test.
func lanes(t *testing.T, spec driver.Spec) func(*testing.T) drivertest.Harness {
	const atOnce = 2
	type lane struct{ one, other *Driver }
	free := make(chan lane, atOnce)
	for range atOnce {
		free <- lane{realDriver(t), realDriver(t)}
	}
	return func(t *testing.T) drivertest.Harness {
		t.Parallel()
		l := <-free
		t.Cleanup(func() { // after that of the suite, which removes the workers
			l.one.tasks.Wait() // what a start that was given up brings forth is removed in the background
			l.other.tasks.Wait()
			free <- l
		})
		return drivertest.Harness{Driver: l.one, Other: l.other, Spec: spec}
	}
}

// has says whether text contains every one of the words.
func has(text string, words ...string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
