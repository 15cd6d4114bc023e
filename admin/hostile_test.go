package admin

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver"
	"understudy/fleet"
	"understudy/scaler"
)

// nasty are names as nobody should choose them.
func nasty() []string {
	return []string{
		`<img src=x onerror=alert(1)>`, `"</script><script>alert(2)</script>`, `' onmouseover='alert(3)`, "javascript:alert(4)", "\u202egnp.exe", "a\x1b[31mb\x00c\nd", "\xff\xfe", "{{.}}",
	}
}

// infest makes everything that has a name nasty.
func infest(t *testing.T, name string) Options {
	t.Helper()
	now := func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }
	f := fleet.New([]fleet.PoolConfig{{Name: name, Capabilities: []string{name}, Target: time.Second}}, now)
	if _, err := f.Add(fleet.Info{ID: name, Pool: name, Address: name, Origin: fleet.Cold}); err != nil {
		t.Fatal(err)
	}
	f.Fail(name, name)
	f.SetDesired(name, 1, name)
	f.SetUnavailable(name, name)
	ports := fleet.NewPorts(20000, 20001, now)
	port, _ := ports.Lease()
	ports.Quarantine(port, name)
	j := scaler.NewJournal(5)
	e := entry(name, 1, 2, name)
	e.Note, e.Decision.Clamp, e.Decision.Term = name, name, name
	j.Add(e)
	return Options{
		Fleet: f, Ports: ports, Journal: j, Now: now, Start: now(), Instance: name, Driver: name, Version: name,
		Ready:    func() (bool, string) { return false, name },
		Goals:    func(string) Goals { return Goals{Security: Security{Level: name, Relaxed: []string{name}}} },
		Troubles: func(string) (scaler.Trouble, bool) { return scaler.Trouble{Error: name, Logs: []string{name}}, true },
		Rollouts: func(string) (scaler.Rollout, bool) { return scaler.Rollout{State: "rolled_back", Error: name}, true },
		Images: func(string) scaler.Image {
			return scaler.Image{Ref: name, Wanted: name, ID: name, Digest: name, Stale: name, Pull: &driver.Progress{Layers: 2}}
		},
		Exits: func(string) (scaler.Exit, bool) {
			return scaler.Exit{Worker: name, Reason: name, Error: name, Logs: []string{name}}, true
		},
	}
}

func TestHostileNamesAreTextInProblems(t *testing.T) {
	h := New(newStage(t).Options)
	for _, target := range []string{"/api/v1/logs?pool=%3Cscript%3E%E2%80%AE%1b", "/nothing%3Cscript%3E", "/api/v1/decisions?n=%3Cscript%3E"} {
		w := do(h, "GET", target, nil, "")
		if codeOf(t, w) == "" || strings.ContainsAny(w.Body.String(), "<>\x1b\u202e") {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
	w := do(h, "GET", "/", map[string]string{"Host": "<script>\u202e.example"}, "")
	if codeOf(t, w) != "wrong-host" || strings.ContainsAny(w.Body.String(), "<>\u202e") {
		t.Errorf("host: %s", w.Body)
	}
}

func TestHostileNamesStayWithinTheEventsOfAStream(t *testing.T) {
	for _, name := range nasty() {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := &stage{Options: infest(t, name)}
			a, done := streamTo(ctx, s.live(ctx), "")
			wait(t, 2*time.Second)
			var names []string
			for _, e := range a.events() {
				names = append(names, e.name)
				if e.data != "" && !json.Valid([]byte(e.data)) {
					t.Errorf("%q: %s is no JSON: %s", name, e.name, e.data)
				}
			}
			if want := []string{"retry", "status", "history", "change", "change"}; !slices.Equal(names, want) {
				t.Errorf("%q: events %v, want %v", name, names, want)
			}
			cancel()
			<-done
		})
	}
}
