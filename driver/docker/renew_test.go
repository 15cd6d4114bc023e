package docker

import (
	"errors"
	"os"
	"strings"
	"testing"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestD16ASocketThatIsReplacedIsFoundAgain(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	hints := d.Watch(t.Context())
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	engine.Down(true)
	if _, err := os.Stat(engine.Socket()); err == nil {
		t.Fatal("the socket is still there")
	}
	if _, err := d.List(t.Context()); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("while there is no socket List returns %v", err)
	}
	engine.Up()
	if all, err := d.List(t.Context()); err != nil || len(all) != 1 || !all[0].Running {
		t.Errorf("on the new socket List returns %+v, %v", all, err)
	}
	engine.Kill(string(inst.ID), "SIGKILL")
	if id := next(hints); id != inst.ID {
		t.Errorf("the first hint after the change is of %s", id)
	}
}

func TestD18AnEngineOfAnotherVersionIsSpokenToInItsOwn(t *testing.T) {
	for _, tc := range []struct {
		name                         string
		from, oldest, newest, wanted string
		noticed                      bool // calls fail while the engine is away
	}{
		{name: "downgraded unnoticed", from: "1.47", oldest: "1.12", newest: "1.41", wanted: "1.41"},
		{name: "upgraded unnoticed", from: "1.41", oldest: "1.44", newest: "1.51", wanted: "1.51"},
		{name: "downgraded while calls failed", from: "1.47", oldest: "1.12", newest: "1.41", wanted: "1.41", noticed: true},
		{name: "upgraded while calls failed", from: "1.41", oldest: "1.44", newest: "1.51", wanted: "1.51", noticed: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			engine := newFakeEngineOf(t, enginetest.Options{API: tc.from})
			d := engine.driver()
			if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
				t.Fatal(err)
			}
			engine.Down(true)
			if tc.noticed {
				if _, err := d.List(t.Context()); !errors.Is(err, driver.ErrUnavailable) {
					t.Errorf("while it is away List returns %v", err)
				}
			}
			engine.Speak(tc.oldest, tc.newest)
			engine.Up()
			engine.ForgetCalls()
			if all, err := d.List(t.Context()); err != nil || len(all) != 1 {
				t.Errorf("List returns %v, %v", all, err)
			}
			if got := d.engine.api().ClientVersion(); got != tc.wanted {
				t.Errorf("it is spoken to in version %s, want %s", got, tc.wanted)
			}
			if _, err := d.Start(t.Context(), fakeSpec("b")); err != nil {
				t.Errorf("Start returns %v", err)
			}
			if n := engine.Count("ping"); n != 1 {
				t.Errorf("its version was asked for %d times, want once", n)
			}
		})
	}
}

func TestD18TheVersionIsAskedForAgainThoughTheOldOneWouldDo(t *testing.T) {
	for name, notice := range map[string]func(*Driver, *fakeEngine){
		"a call failed": func(d *Driver, _ *fakeEngine) {
			if _, err := d.List(t.Context()); !errors.Is(err, driver.ErrUnavailable) {
				t.Errorf("while it is away List returns %v", err)
			}
		},
		"the stream of events broke": func(d *Driver, engine *fakeEngine) {
			engine.Eventually("that is known", d.engine.lost.Load)
		},
	} {
		engine := newFakeEngine(t)
		d := engine.driver()
		if name != "a call failed" {
			d.Watch(t.Context())
			engine.Eventually("it listens", func() bool { return engine.InFlight("events") == 1 })
		}
		engine.Down(true)
		notice(d, engine)
		engine.Speak("1.12", "1.47")
		engine.Up()
		if _, err := d.List(t.Context()); err != nil {
			t.Errorf("after %s List returns %v", name, err)
		}
		if got := d.engine.api().ClientVersion(); got != "1.47" {
			t.Errorf("after %s it is spoken to in version %s", name, got)
		}
	}
}

func TestD18AnEngineTooOldOrTooNewIsOneSentence(t *testing.T) {
	for name, tc := range map[string]struct {
		oldest, newest string
		want           []string
	}{
		"too old": {"1.12", "1.40", []string{"too old", "1.40", "needs 1.41", "20.10"}},
		"too new": {"1.99", "1.120", []string{"too new", "1.99", "update understudy"}},
	} {
		engine := newFakeEngineOf(t, enginetest.Options{API: tc.newest, MinAPI: tc.oldest})
		_, err := New(t.Context(), Options{Instance: "x", Host: engine.Host()})
		if err == nil || !has(err.Error(), append(tc.want, engine.Socket())...) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: New returns %v, want one sentence with %q", name, err, tc.want)
		}
	}
}

func TestD18AnEngineThatBecomesTooNewIsUnavailableAndAskedTwiceACall(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Speak("1.99", "1.120")
	for range 3 {
		if _, err := d.List(t.Context()); !errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), "update understudy") {
			t.Errorf("List returns %v", err)
		}
	}
	if n := engine.Count(); n > 10 {
		t.Errorf("three lists were %d calls", n)
	}
	engine.Speak("1.12", "1.41")
	if _, err := d.List(t.Context()); err != nil {
		t.Errorf("once it is as before, List returns %v", err)
	}
}
