package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestD01PortTakenIsKnownByTheEnginesWordsAndTheContainerIsRemoved(t *testing.T) {
	for name, text := range map[string]string{
		"by the engine": "driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:20000 failed: port is already allocated",
		"by a process":  "driver failed programming external connectivity on endpoint x: Error starting userland proxy: listen tcp4 127.0.0.1:20000: bind: address already in use",
		"engine 28":     "failed to set up container networking: failed to bind host port 127.0.0.1:20000/tcp: address already in use",
		"desktop":       "Ports are not available: exposing port TCP 127.0.0.1:20000 -> 0.0.0.0:0: ports are not available",
	} {
		t.Run(name, func(t *testing.T) {
			engine := newFakeEngine(t)
			engine.Script("start", enginetest.Refuse(500, text))
			_, err := engine.driver().Start(t.Context(), fakeSpec("a"))
			if !errors.Is(err, driver.ErrPortTaken) || !has(err.Error(), "20000", text) {
				t.Errorf("Start returns %v, want ErrPortTaken with the engine's words", err)
			}
			if engine.left() != 0 {
				t.Error("the container that was created stays behind")
			}
		})
	}
}

func TestOtherRefusalsOfAStartAreTheirOwnKindAndLeaveNothing(t *testing.T) {
	for text, check := range map[string]func(error) bool{
		"no space left on device": func(err error) bool {
			return !errors.Is(err, driver.ErrPortTaken) && !errors.Is(err, driver.ErrUnavailable)
		},
		`OCI runtime create failed: exec: "nope": executable file not found in $PATH: unknown`: func(err error) bool {
			var exit *driver.ExitError
			return errors.As(err, &exit) && exit.Code == 127 && has(exit.Logs[0], "nope")
		},
		`OCI runtime create failed: exec: "/data": permission denied: unknown`: func(err error) bool {
			var exit *driver.ExitError
			return errors.As(err, &exit) && exit.Code == 126 && exit.Hint != ""
		},
	} {
		engine := newFakeEngine(t)
		engine.Script("start", enginetest.Refuse(500, text))
		if _, err := engine.driver().Start(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), text) && !check(err) || !check(err) {
			t.Errorf("after %q Start returns %v", text, err)
		}
		if engine.left() != 0 {
			t.Errorf("after %q the container stays behind", text)
		}
	}
}

// blockCreate makes creates wait until release is called; reached is closed when the first one has come.
func blockCreate(engine *fakeEngine) (reached <-chan struct{}, release func()) {
	came, free := make(chan struct{}), make(chan struct{})
	engine.Script("create", enginetest.First(1, func(http.ResponseWriter, *http.Request) bool {
		close(came)
		<-free
		return false // go on as if nothing had been
	}))
	return came, sync.OnceFunc(func() { close(free) })
}

func TestD05ACreateInFlightIsNotCancelledAndWhatComesOfItIsRemoved(t *testing.T) {
	engine := newFakeEngine(t)
	reached, release := blockCreate(engine)
	defer release()
	d := engine.driver()
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() {
		_, err := d.Start(ctx, fakeSpec("a"))
		result <- err
	}()
	<-reached
	why := errors.New("nobody wants it any more")
	cancel(why)
	if err := <-result; !errors.Is(err, why) { // at once, though the create still hangs
		t.Errorf("the cancelled Start returns %v", err)
	}
	release()
	eventually(t, "the container of the cancelled start is created and removed", func() bool {
		return engine.Count("create") == 1 && engine.Count("remove") == 1 && engine.left() == 0
	})
	if engine.Count("start") != 0 {
		t.Error("the container nobody wants was started")
	}
}

func TestAWorkerThatIsUpOnlyWhenNobodyWantsItAnyMoreIsRemoved(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	ctx, cancel := context.WithCancel(t.Context())
	free := make(chan struct{})
	engine.Script("inspect", enginetest.First(1, func(http.ResponseWriter, *http.Request) bool { // the last call of a start
		cancel()
		<-free
		return false
	}))
	if _, err := d.Start(ctx, fakeSpec("a")); !errors.Is(err, context.Canceled) || engine.left() != 1 {
		t.Errorf("Start returns %v with %d containers left", err, engine.left())
	}
	close(free)
	eventually(t, "it is removed", func() bool { return engine.left() == 0 })
}

func TestCloseWaitsUntilWhatACancelledStartBroughtForthIsRemoved(t *testing.T) {
	engine := newFakeEngine(t)
	reached, release := blockCreate(engine)
	defer release()
	d := engine.driver()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := d.Start(ctx, fakeSpec("a"))
		result <- err
	}()
	<-reached
	cancel()
	<-result
	closed := make(chan error)
	go func() { closed <- d.Close() }()
	eventually(t, "the driver refuses new work", func() bool {
		return errors.Is(d.Prepare(t.Context(), fakeSpec("b")), errClosed)
	})
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if engine.Count("remove") != 1 || engine.left() != 0 {
		t.Error("Close came back before the container was removed")
	}
}

func TestD05ACreateOfUnknownOutcomeIsHuntedDown(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.create = 500 * time.Millisecond })
	engine.Script("create", enginetest.Late(time.Hour)) // no answer within the limit, but the engine makes it after all
	_, err := d.Start(t.Context(), fakeSpec("a"))
	if !errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), "create container understudy-fake-pool-a", "500ms") {
		t.Fatalf("Start returns %v, want ErrUnavailable and what was tried", err)
	}
	eventually(t, "the late container is removed", func() bool { return slices.Contains(engine.Removed(), "understudy-fake-pool-a") })
}

func TestD05TheHuntSparesWhatIsNotOfThisStart(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.hunt = 300 * time.Millisecond })
	engine.Script("create", enginetest.Cut(`{"Id":"`))
	if _, err := d.Start(t.Context(), fakeSpec("a")); !errors.Is(err, driver.ErrUnavailable) {
		t.Fatalf("Start returns %v, want ErrUnavailable", err)
	}
	engine.Place(enginetest.Container{Name: "understudy-fake-pool-a", Labels: map[string]string{labelInstance: "fake", labelGeneration: "another"}})
	d.Close() // waits for the hunt
	if engine.left() != 1 || engine.Count("inspect") == 0 {
		t.Errorf("%d containers are left after %d looks", engine.left(), engine.Count("inspect"))
	}
}

func TestD09ANameThatIsTakenIsClearedOfOurLeftoversOnly(t *testing.T) {
	const name = "understudy-fake-pool-a"
	for _, tc := range []struct {
		what    string
		labels  map[string]string
		state   enginetest.State
		started bool
	}{
		{"a leftover of ours", map[string]string{labelInstance: "fake"}, enginetest.Exited, true},
		{"a worker of ours that runs", map[string]string{labelInstance: "fake"}, enginetest.Running, false},
		{"somebody else's container", map[string]string{labelInstance: "theirs"}, enginetest.Exited, false},
	} {
		t.Run(tc.what, func(t *testing.T) {
			engine := newFakeEngine(t)
			d := engine.driver()
			engine.Place(enginetest.Container{Name: name, Labels: tc.labels, State: tc.state})
			_, err := d.Start(t.Context(), fakeSpec("a"))
			if (err == nil) != tc.started {
				t.Errorf("Start returns %v", err)
			}
			if !tc.started && slices.Contains(engine.Removed(), name) {
				t.Error("it was removed")
			}
		})
	}
}

func TestD09ANameTheEngineIsSlowToLetGoIsWaitedFor(t *testing.T) {
	const text = `Conflict. The container name "/understudy-fake-pool-a" is already in use by container "gone".`
	for conflicts, ok := range map[int]bool{1: true, nameTries: true, nameTries + 1: false} {
		engine := newFakeEngine(t)
		d := engine.driver()
		engine.Script("create", enginetest.First(conflicts, enginetest.Refuse(409, text)))
		_, err := d.Start(t.Context(), fakeSpec("a"))
		if (err == nil) != ok || !ok && !has(err.Error(), text) {
			t.Errorf("after %d conflicts Start returns %v", conflicts, err)
		}
		if n := engine.Count("create"); n > nameTries+1 || n < conflicts {
			t.Errorf("for %d conflicts there were %d creates", conflicts, n)
		}
	}
}

func TestD03AStartedContainerMustShowItsPortWhereItWasToBe(t *testing.T) {
	show := func(address, port string) enginetest.Script {
		return func(w http.ResponseWriter, r *http.Request) bool {
			fmt.Fprintf(w, `{"Id":"id1","State":{"Running":true},"Config":{"Labels":{"understudy.instance":"fake"}},
				"NetworkSettings":{"Ports":{"8080/tcp":[{"HostIp":%q,"HostPort":%q}]}}}`, address, port)
			return true
		}
	}
	nothing := func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{"Id":"id1","State":{"Running":true},"Config":{},"NetworkSettings":{"Ports":{}}}`)
		return true
	}
	for _, tc := range []struct {
		name    string
		inspect enginetest.Script
		ok      bool
	}{
		{"right", show("127.0.0.1", "20000"), true},
		{"late", enginetest.First(3, nothing), true},
		{"never", nothing, false},
		{"on every address", show("0.0.0.0", "20000"), false},
		{"on another port", show("127.0.0.1", "20001"), false},
		{"nobody can tell", enginetest.Refuse(500, "boom"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			engine := newFakeEngine(t)
			d := engine.driver(func(l *limits) {
				if !tc.ok {
					l.wired = 200 * time.Millisecond
				}
			})
			engine.Script("inspect", tc.inspect)
			_, err := d.Start(t.Context(), fakeSpec("a"))
			if (err == nil) != tc.ok {
				t.Errorf("Start returns %v", err)
			}
			if !tc.ok && engine.left() != 0 {
				t.Error("a container nobody can reach stays behind")
			}
		})
	}
}

// The time for publishing is not the time for answering: an engine in a hurry has published the port long before it says so.
func TestASlowAnswerAboutAStartedWorkerIsWaitedFor(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.wired, l.inspect = time.Millisecond, 10*time.Second })
	engine.Script("inspect", enginetest.Delay(50*time.Millisecond))
	if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
		t.Error(err)
	}
}

func TestAStartThatIsPreparedCostsThreeCalls(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	if err := d.Prepare(t.Context(), fakeSpec("a")); err != nil {
		t.Fatal(err)
	}
	engine.ForgetCalls()
	if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, call := range engine.Calls() {
		routes = append(routes, call.Route)
	}
	if got := fmt.Sprint(routes); got != "[create start inspect]" {
		t.Errorf("the calls are %s", got)
	}
}

func TestInspectTellsThePortOnlyWhileItIsPublished(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Inspect(t.Context(), inst.ID); err != nil || got.HostPort != 20000 {
		t.Errorf("Inspect returns %+v, %v", got, err)
	}
	engine.Edit(string(inst.ID), func(c *enginetest.Container) { c.Ports = nil })
	if got, err := d.Inspect(t.Context(), inst.ID); err != nil || got.HostPort != 0 || got.Address != "" || !got.Running {
		t.Errorf("of a worker that is no more published Inspect returns %+v, %v", got, err)
	}
}

func TestD19AnImageThatIsAlwaysGoneIsMissingAfterAFewTries(t *testing.T) {
	engine := newFakeEngine(t)
	engine.Script("create", enginetest.Refuse(404, "No such image: understudy-worker:x"))
	_, err := engine.driver().Start(t.Context(), fakeSpec("a"))
	if n := engine.Count("create"); !errors.Is(err, driver.ErrImageMissing) || n < 2 || n > 10 {
		t.Errorf("after %d tries Start returns %v", n, err)
	}
}
