package simulate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestPoliciesAreNamedOneByOneOrAllAtOnce(t *testing.T) {
	got, err := ParsePolicies("kpa, fixed=3,oracle")
	if err != nil || !slices.Equal(got, []string{"kpa", "fixed=3", "oracle"}) {
		t.Errorf("%q, %v", got, err)
	}
	got, err = ParsePolicies("all,fixed=2")
	if err != nil || len(got) != len(AllPolicies())+1 {
		t.Errorf("%q, %v", got, err)
	}
	for _, wrong := range []string{"", "hpa", "fixed", "fixed=", "fixed=0", "fixed=many", "kpa,,naive", "understudy;kpa"} {
		if got, err := ParsePolicies(wrong); err == nil {
			t.Errorf("%q gave %q", wrong, got)
		}
	}
}

func TestAFixedNumberBeyondTheMaxOfThePoolIsRefused(t *testing.T) {
	_, err := Run(t.Context(), Options{Load: fromWorkload(t, "lowrate", time.Minute), Policies: []string{"fixed=65"}})
	if err == nil || !strings.Contains(err.Error(), "fixed=65") {
		t.Errorf("%v", err)
	}
}

var atMost64 = policy.Config{Target: 300 * time.Millisecond, Min: 1, Max: 64, Spare: 1, Concurrency: 1}

// drive lets a policy see the same snapshot at each tick until some time, and returns its last decision.
func drive(p Policy, cfg policy.Config, from, until time.Duration, in policy.Snapshot) (d policy.Decision) {
	for now := from; now <= until; now += 250 * time.Millisecond {
		in.Now = now
		d = p.Decide(cfg, in)
	}
	return d
}

func TestKPAWantsTheMeanConcurrencyBySeventyPercent(t *testing.T) {
	d := drive(newKPA(0), atMost64, 0, 2*time.Minute, policy.Snapshot{Active: 10, Busy: 6, Queue: 1})
	if d.Active != 10 || d.Spare != 0 || d.Pipeline != 0 || d.Remove != 0 {
		t.Errorf("%+v: 7 in the system by 0.7 are 10", d)
	}
	if d := drive(newKPA(1), atMost64, 0, 2*time.Minute, policy.Snapshot{Active: 10, Busy: 7}); d.Active != 10 || d.Spare != 1 || d.Pipeline != 1 {
		t.Errorf("%+v: want one warm worker more", d)
	}
}

func TestKPAInPanicLooksAtSixSecondsAndNeverGoesDownForAMinute(t *testing.T) {
	k := newKPA(0)
	calm := policy.Snapshot{Active: 4, Busy: 2}
	if d := drive(k, atMost64, 0, time.Minute, calm); d.Active != 3 {
		t.Fatalf("%+v", d)
	}
	d := drive(k, atMost64, time.Minute, 68*time.Second, policy.Snapshot{Active: 4, Busy: 4, Queue: 17})
	if d.Active != 30 {
		t.Errorf("wants %d 8 s after the surge began, want 21 / 0.7", d.Active)
	}
	calm = policy.Snapshot{Active: 30, Busy: 2, Idle: 28}
	if d := drive(k, atMost64, 69*time.Second, 120*time.Second, calm); d.Active != 30 || d.Remove != 0 {
		t.Errorf("%+v: in panic nothing is taken away", d)
	}
	if d := drive(k, atMost64, 120*time.Second, 140*time.Second, calm); d.Active >= 30 || d.Remove == 0 {
		t.Errorf("%+v: the panic is over a minute after its cause", d)
	}
}

func TestKPAHalvesAtMostInOneStep(t *testing.T) {
	if d := drive(newKPA(0), atMost64, 0, 0, policy.Snapshot{Active: 20, Idle: 20}); d.Active != 10 {
		t.Errorf("wants %d of 20", d.Active)
	}
}

func TestNaiveGoesByTheMeanLatency(t *testing.T) {
	n := &naive{}
	busy := func(in, done int) policy.Snapshot {
		return policy.Snapshot{Active: 5, Idle: 5, Busy: in, Latency: policy.Latency{N: done}}
	}
	// Little: 20 in the system and 500 answers in 10 s are 400 ms each.
	if d := drive(n, atMost64, 0, 20*time.Second, busy(20, 500)); d.Active < 10 {
		t.Errorf("wants %d after 20 s above the target", d.Active)
	}
	up := drive(n, atMost64, 21*time.Second, 40*time.Second, busy(10, 500)).Active // 200 ms: between
	if d := drive(n, atMost64, 41*time.Second, 60*time.Second, busy(10, 500)); d.Active != up {
		t.Errorf("went from %d to %d between the marks", up, d.Active)
	}
	if d := drive(n, atMost64, 61*time.Second, 100*time.Second, busy(5, 500)); d.Active >= up {
		t.Errorf("stays at %d under half the target", d.Active)
	}
	if d := drive(n, atMost64, 101*time.Second, 200*time.Second, busy(64, 0)); d.Active != 1 {
		t.Errorf("wants %d while nothing is answered: it knows no better than 0 ms", d.Active)
	}
}

func TestPerRequestStartsOneForEachThatWaitsAndKeepsThirtySeconds(t *testing.T) {
	p := &perRequest{}
	if !p.Watch(time.Second, 2, 1) || p.Watch(time.Second, 3, 0) {
		t.Error("it shall decide when one more waits, and not when one fewer does")
	}
	d := p.Decide(atMost64, policy.Snapshot{Now: time.Second, Active: 3, Busy: 3, Queue: 4})
	if d.Pipeline != 5 {
		t.Errorf("%d starts, want one for each of 4 and the spare", d.Pipeline)
	}
	p.Watch(2*time.Second, 7, 0)
	at := func(now time.Duration) policy.Decision {
		return p.Decide(atMost64, policy.Snapshot{Now: now, Active: 7, Spare: 1, Idle: 6, Busy: 1})
	}
	if d := at(31 * time.Second); d.Active != 7 || d.Remove != 0 {
		t.Errorf("after 29 s: %+v", d)
	}
	if d := at(33 * time.Second); d.Active != 1 || d.Remove != 6 {
		t.Errorf("after 31 s: %+v", d)
	}
}
