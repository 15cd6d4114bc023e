package simulate

import (
	"math"
	"testing"
	"time"

	"understudy/config"
	"understudy/scaler/policy"
)

// script wants so many workers from a time on.
type script []step

type step struct {
	from time.Duration
	want int
}

func (s script) Decide(_ policy.Config, in policy.Snapshot) policy.Decision {
	want := 0
	for _, step := range s {
		if in.Now >= step.from {
			want = step.want
		}
	}
	return exactly(want, 0, in)
}

// scripted plays a load with a script and starts of exactly half a second.
func scripted(t *testing.T, l Load, s script) *run {
	t.Helper()
	start := Range{500 * time.Millisecond, 500 * time.Millisecond}
	r, err := newRun(Options{Load: l, Pools: DefaultPools(), Start: start, Seed: 1}, func(config.Pool) (Policy, error) { return s, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// idle is a load of one short request at the beginning and one at the end.
func idle(t *testing.T) Load { return fromTrace(t, "t,duration_ms\n0,1\n99.9,1\n", nil) }

func TestStartsRunFourAtATimeAndCostFromTheirBeginning(t *testing.T) {
	r := scripted(t, idle(t), script{{0, 1}, {10 * time.Second, 11}})
	if r.book.starts != 10 || r.book.most != 11 {
		t.Errorf("%d starts, %d workers at most; want 10, 11", r.book.starts, r.book.most)
	}
	// Ten more from the first tick after 10 s on: four at once, four when those are ready, two after that; each round ends in a tick.
	ready := make([]time.Duration, 0)
	for _, c := range r.pools[0].startTimes {
		ready = append(ready, c)
	}
	if len(ready) != 10 || ready[0] != 500*time.Millisecond {
		t.Errorf("start times %v", ready)
	}
	// After the first round there are 5 workers, and so on: the ticks are 250 ms apart, so a round of 500 ms takes two or three of them.
	least := 100.0 + 4*(90-0.25) + 4*(90-1.0) + 2*(90-1.75)
	most := 100.0 + 4*90 + 4*(90-0.5) + 2*(90-1.0)
	if got := r.book.workerTime.Seconds(); got < least || got > most {
		t.Errorf("%.2f worker-seconds, want %.2f to %.2f", got, least, most)
	}
}

func TestRemovalsTakeNoTimeAndComeWithinATick(t *testing.T) {
	r := scripted(t, idle(t), script{{0, 6}, {10 * time.Second, 2}})
	got := r.book.workerTime.Seconds()
	if low, high := 6*10+2*90.0, 6*10.25+2*89.75; got < low || got > high {
		t.Errorf("%.2f worker-seconds, want %.2f to %.2f", got, low, high)
	}
	if r.book.starts != 0 || r.book.reversals != 0 {
		t.Errorf("%d starts, %d reversals; there were none", r.book.starts, r.book.reversals)
	}
}

func TestAReversalIsTheFirstRemovalWithinAMinuteOfAStart(t *testing.T) {
	for _, c := range []struct {
		name   string
		script script
		want   int
	}{
		{"up and soon down", script{{0, 1}, {10 * time.Second, 3}, {30 * time.Second, 1}}, 1},
		{"up and late down", script{{0, 1}, {10 * time.Second, 3}, {72 * time.Second, 1}}, 0},
		{"twice", script{{0, 1}, {10 * time.Second, 2}, {20 * time.Second, 1}, {30 * time.Second, 2}, {40 * time.Second, 1}}, 2},
		{"down and up", script{{0, 3}, {10 * time.Second, 1}, {20 * time.Second, 3}}, 0},
	} {
		if r := scripted(t, idle(t), c.script); r.book.reversals != c.want {
			t.Errorf("%s: %d reversals, want %d", c.name, r.book.reversals, c.want)
		}
	}
}

func TestARequestWaitsForTheStartThatWillServeIt(t *testing.T) {
	// Nobody is there until the first tick after 5 s; the start takes 0.5 s.
	r := scripted(t, fromTrace(t, "t,duration_ms\n4,100\n", nil), script{{0, 0}, {5 * time.Second, 1}})
	if got := r.book.latency.at(100); got < 1600*time.Millisecond || got > 1852*time.Millisecond {
		t.Errorf("latency %v, want 1.6 s and up to a tick more", got)
	}
	if r.book.over != 1 || r.book.avoidable != 1 {
		t.Errorf("%d over, %d avoidable", r.book.over, r.book.avoidable)
	}
}

func TestWhoWaitsTooLongIsRefusedAndCountsAsOver(t *testing.T) {
	r := scripted(t, fromTrace(t, "t,duration_ms\n1,100\n1,400\n", nil), script{})
	if b := r.book; b.turnedAway != 2 || b.over != 2 || b.avoidable != 1 || r.now > 10*time.Second {
		t.Errorf("%d refused, %d over, %d avoidable at %v; want 2, 2, 1 after the 3 s that anybody may wait", b.turnedAway, b.over, b.avoidable, r.now)
	}
	if got := r.book.latency.at(50).Round(10 * time.Millisecond); got != 3*time.Second {
		t.Errorf("they stand at %v in the percentiles, want 3 s", got)
	}
}

func TestARunWithoutHopeEndsAllTheSame(t *testing.T) {
	pools := []config.Pool{kind("p", func(p *config.Pool) { p.Queue.Wait = 1000 * time.Hour }, "*")}
	l := fromTrace(t, "t,duration_ms\n1,100\n", pools)
	r, err := newRun(Options{Load: l, Pools: pools, Start: DefaultStart()}, func(config.Pool) (Policy, error) { return script{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.book.ended != 1 || r.book.turnedAway != 1 {
		t.Errorf("%d ended, %d refused; want the one that waited for ever", r.book.ended, r.book.turnedAway)
	}
}

func TestAPoolHandsOverWhenItIsFullAndBusyWorkersOfAnotherHelp(t *testing.T) {
	pools := []config.Pool{
		kind("one", func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 1} }, "a"),
		kind("two", func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 1} }, "a", "b"),
	}
	l := fromTrace(t, "t,duration_ms,kind\n0,250,a\n0,250,a\n1,250,b\n", pools)
	r := of(t, simulated(t, Options{Load: l, Pools: pools, Policies: []string{"understudy"}}), "understudy")
	if r.OverTarget != 0 || r.P99 > 251 {
		t.Errorf("%+v: two workers can serve two requests at once", r)
	}
}

func TestFixedMembersServeAndCostNothing(t *testing.T) {
	pools := []config.Pool{kind("p", func(p *config.Pool) {
		p.Members, p.Workers, p.Concurrency = []string{"http://127.0.0.1:1"}, config.Workers{}, 2
	}, "a")}
	l := fromTrace(t, "t,duration_ms,kind\n0,200,a\n0,200,a\n0,200,a\n", pools)
	r := of(t, simulated(t, Options{Load: l, Pools: pools, Policies: []string{"understudy"}}), "understudy")
	if r.WorkerSeconds != 0 || r.VsOracle != 1 || r.Avoidable < 0.33 || r.P50 > 201 {
		t.Errorf("%+v: want no cost, two served at once and one that waits", r)
	}
}

func TestWorkSlowsDownOnFewCores(t *testing.T) {
	for _, c := range []struct {
		busy  int
		cores float64
		want  float64
	}{{1, 2, 1}, {2, 2, 1}, {4, 2, math.Pow(2, 1.1)}, {100, 0, 1}} {
		if got := slowed(c.busy, c.cores); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d on %v cores: %v times as long, want %v", c.busy, c.cores, got, c.want)
		}
	}
	text := "t,duration_ms\n"
	for range 4 {
		text += "1,100\n"
	}
	l := fromTrace(t, text, nil)
	r := of(t, simulated(t, Options{Load: l, Policies: []string{"fixed=4"}, Cores: 1}), "fixed=4")
	if want := 100 * math.Pow(4, 1.1); math.Abs(r.P99-want) > 1 {
		t.Errorf("four at once on one core: p99 %v ms, want %.1f", r.P99, want)
	}
}

func TestAPolicyOnAHostWithoutCPULearnsOfIt(t *testing.T) {
	seen := &watchingCPU{}
	l := fromWorkload(t, "steady", 20*time.Second)
	r, err := newRun(Options{Load: l, Pools: DefaultPools(), Start: DefaultStart(), Cores: 2}, func(config.Pool) (Policy, error) { return seen, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seen.most != 1 {
		t.Errorf("the most it saw was %v of the CPU, want all: 8 workers are busy on 2 cores", seen.most)
	}
}

type watchingCPU struct{ most float64 }

func (w *watchingCPU) Decide(_ policy.Config, in policy.Snapshot) policy.Decision {
	w.most = max(w.most, in.HostCPU)
	return exactly(8, 0, in)
}
