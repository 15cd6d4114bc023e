package balancer

import (
	"strings"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func legacy() []config.Pool {
	p := pool("legacy", "echo")
	p.Image, p.Workers = "", config.Workers{}
	p.Members = []string{"http://10.0.0.1:9001", "http://10.0.0.2:9001/base/"}
	p.Concurrency = 100
	return []config.Pool{p, pool("general", "mult")}
}

const (
	memberOne, addressOne = "legacy-10.0.0.1:9001", "http://10.0.0.1:9001"
	memberTwo, addressTwo = "legacy-10.0.0.2:9001_base", "http://10.0.0.2:9001/base/"
)

func unavailable(w ward) string { return w.f.Status()[0].Unavailable }

func TestMembersJoinWhenTheyAnswerAndLeaveWhenTheyStop(t *testing.T) {
	inWard(t, legacy(), func(t *testing.T, w ward) {
		w.set(addressTwo, errRefused)
		pass(10 * time.Millisecond)
		if w.state(memberOne) != "active" || w.state(memberTwo) != "none" || unavailable(w) != "" {
			t.Fatalf("%s, %s, unavailable %q", w.state(memberOne), w.state(memberTwo), unavailable(w))
		}
		one, _, _ := w.f.Worker(memberOne)
		if !one.Warm {
			t.Error("a member that was there before us has to ramp")
		}
		if one.Origin != fleet.Member || one.Concurrency != 100 || one.Address != addressOne {
			t.Errorf("it is %+v", one.Info)
		}
		w.set(addressTwo, nil)
		pass(time.Second)
		if w.state(memberTwo) != "active" {
			t.Errorf("the second is %s", w.state(memberTwo))
		}
		w.set(addressOne, errEOF)
		pass(4 * time.Second)
		if w.state(memberOne) != "none" {
			t.Errorf("the first is %s", w.state(memberOne))
		}
		w.set(addressOne, nil)
		pass(2 * time.Second)
		again, _, ok := w.f.Worker(memberOne)
		if !ok || again.Generation == one.Generation || again.Warm {
			t.Errorf("it came back as %+v", again)
		}
	})
}

func TestAPoolWhoseMembersAreAllAwayIsUnavailableAndSaysWhy(t *testing.T) {
	inWard(t, legacy(), func(t *testing.T, w ward) {
		w.set(addressOne, errRefused)
		w.set(addressTwo, errEOF)
		pass(10 * time.Millisecond)
		if got := unavailable(w); !strings.HasPrefix(got, "no member answers: ") || !strings.Contains(got, "connection refused") {
			t.Errorf("unavailable: %q", got)
		}
		w.set(addressTwo, nil)
		pass(time.Second)
		if got := unavailable(w); got != "" {
			t.Errorf("one is back, and yet unavailable: %q", got)
		}
		w.set(addressTwo, errRefused)
		pass(5 * time.Second)
		if got := unavailable(w); got == "" {
			t.Error("all are away, and yet available")
		}
		if got := w.f.Status()[1].Unavailable; got != "" {
			t.Errorf("a pool without members: %q", got)
		}
	})
}

func TestMembersThatAreNoLongerConfiguredLeaveWhenTheyAreIdle(t *testing.T) {
	inWard(t, legacy(), func(t *testing.T, w ward) {
		pass(10 * time.Millisecond)
		lease, err := w.f.Acquire(t.Context(), fleet.Request{Capability: "echo"})
		if err != nil {
			t.Fatal(err)
		}
		next := config.Config{Pools: legacy()}
		next.Pools[0].Members = []string{addressOne, addressTwo}
		for i, address := range next.Pools[0].Members {
			if address == lease.Worker.Address {
				next.Pools[0].Members = append(next.Pools[0].Members[:i:i], next.Pools[0].Members[i+1:]...)
				break
			}
		}
		w.SetConfig(&next)
		pass(2 * time.Second)
		if got := w.state(lease.Worker.ID); got != "draining" {
			t.Errorf("with a request in flight it is %s", got)
		}
		lease.Release(fleet.Outcome{Kind: fleet.Served})
		pass(2 * time.Second)
		if got := w.state(lease.Worker.ID); got != "none" {
			t.Errorf("without one it is %s", got)
		}
		if n := len(w.f.Workers(fleet.Active)); n != 1 {
			t.Errorf("%d members are left", n)
		}
	})
}

func TestAMemberThatAnOperatorDrainedStaysOut(t *testing.T) {
	inWard(t, legacy(), func(t *testing.T, w ward) {
		pass(10 * time.Millisecond)
		if _, err := w.f.Drain(memberOne, "maintenance"); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		if got := w.state(memberOne); got != "draining" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestMemberIDsAreFitForAPath(t *testing.T) {
	for address, want := range map[string]string{
		"http://10.0.0.1:9001": "p-10.0.0.1:9001", "http://[::1]:80/": "p-::1:80", "http://h/a/b": "p-h_a_b", "not a url": "p-not a url",
	} {
		if got := (member{pool: pool("p"), address: address}).id(); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
