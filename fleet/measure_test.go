package fleet

import (
	"context"
	"math"
	"testing"
	"time"

	"understudy/meter"
)

const ms = time.Millisecond

// visit is one request that waits for nobody and is in service this long.
func visit(t testing.TB, f *Fleet, c *clock, service time.Duration) {
	t.Helper()
	l := take(t, f, "mult")
	c.pass(service)
	end(t, l, Served)
}

func TestMeasureCountsArrivalsInItsWindows(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a", "b", "c")
	c.pass(500 * ms)
	m := measure(t, f, "p")
	expect(t, "slow window of a young fleet", m.Slow, Window{Width: time.Second})
	c.pass(9500 * ms)
	for range 3 { // at 10 s: one batch of three
		take(t, f, "mult")
	}
	c.pass(time.Second)
	enqueue(t, f, Request{Capability: "mult"}) // at 11 s
	c.pass(100 * ms)
	m = measure(t, f, "p")
	expect(t, "now", m.Now, 11100*ms)
	expect(t, "the fleet's clock", f.Clock(), m.Now)
	expectList(t, "windows", m.Windows, []Window{
		{250 * ms, 1, 1}, {500 * ms, 1, 1}, {time.Second, 1, 1},
		{2 * time.Second, 4, 10}, {4 * time.Second, 4, 10}, {8 * time.Second, 4, 10},
	})
	expect(t, "slow window", m.Slow, Window{Width: 11100 * ms, Arrivals: 4, BatchSquares: 10})
	c.pass(40 * time.Second)
	m = measure(t, f, "p")
	expect(t, "slow window later", m.Slow, Window{Width: 30 * time.Second})
	expect(t, "8 s window later", m.Windows[5], Window{Width: 8 * time.Second})
}

func TestMeasureCountsWorkersByStateAndWhatTheyDo(t *testing.T) {
	f, _ := still(kind("p", "mult"), kind("q", "add"))
	active(t, f, "p", "busy", "i1", "i2", "d", "x")
	spares(t, f, "p", "s")
	add(t, f, Info{ID: "new", Pool: "p"})
	take(t, f, "mult")
	f.Drain("d", "test")
	f.Fail("x", "test")
	register(t, f, Info{ID: "r", Pool: "p", Concurrency: 4})
	m := measure(t, f, "p")
	got := [...]int{m.Starting, m.Spare, m.Active, m.Draining, m.Failed, m.Idle, m.Others, m.Busy, m.Queue}
	expect(t, "starting, spare, active, draining, failed, idle, others, busy, queue", got, [...]int{1, 1, 3, 1, 1, 2, 4, 1, 0})
	if _, ok := f.Measure("nobody"); ok {
		t.Error("Measure of a pool there is not")
	}
	other := measure(t, f, "q")
	expect(t, "another pool", other.Active+other.Busy+other.Others, 0)
}

func TestMeasureIntegratesBusyTimeWithTasksThatAreNotDone(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a", "b")
	c.pass(10 * time.Second) // nothing to do is measured too
	one := take(t, f, "mult")
	c.pass(2 * time.Second)
	take(t, f, "mult")
	c.pass(3 * time.Second)
	end(t, one, Served)
	c.pass(5 * time.Second)
	m := measure(t, f, "p")
	expect(t, "busy time", m.BusyTime, 13*time.Second) // 2 x 1 + 3 x 2 + 5 x 1
	expect(t, "mean", round(m.MeanBusy), round(13.0/20))
	c.pass(70 * time.Second)
	m = measure(t, f, "p")
	expect(t, "mean of the last 30 s", m.MeanBusy, 1.0)
	if m.BusyTime < 59*time.Second || m.BusyTime > 60*time.Second {
		t.Errorf("busy time of the service window: %v", m.BusyTime)
	}
	expectList(t, "in service", m.InService, []Group{{Age: 78 * time.Second, N: 1}})
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// Mean service time = busy time / answers: both must be of the same stretch of time.
func TestMeasureBusyTimeAndServiceTimesAreOfTheSameWindow(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a")
	for range 1300 { // 130 s without a pause
		visit(t, f, c, 100*ms)
		m := measure(t, f, "p")
		if mean := m.BusyTime / time.Duration(count(m)); mean < 99*ms || mean > 101*ms {
			t.Fatalf("at %v: %v of busy time for %d answers of 100 ms", m.Now, m.BusyTime, count(m))
		}
	}
}

func TestMeasureTellsMissedByWaitingFromSlowService(t *testing.T) {
	tests := []struct {
		name          string
		wait, service time.Duration
		want          Latency
	}{
		{"in time", 100 * ms, 150 * ms, Latency{N: 1, Requests: 1}},
		{"just in time", 100 * ms, 200 * ms, Latency{N: 1, Requests: 1}},
		{"waited too long", 200 * ms, 101 * ms, Latency{N: 1, Over: 1, Missed: 1, Requests: 1}},
		{"served too long", 0, 301 * ms, Latency{N: 1, Over: 1, Requests: 1}},
		{"both", 301 * ms, 301 * ms, Latency{N: 1, Over: 1, Requests: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, c := still(kind("p", "mult"))
			w := enqueue(t, f, Request{Capability: "mult"})
			c.pass(tt.wait)
			active(t, f, "p", "a")
			l := expectGrant(t, w, "a")
			c.pass(tt.service)
			end(t, l, Served)
			expect(t, "latency", measure(t, f, "p").Latency, tt.want)
			c.pass(11 * time.Second)
			expect(t, "after the window", measure(t, f, "p").Latency, Latency{})
		})
	}
}

func TestMeasureOfOutcomesThatAreNoAnswers(t *testing.T) {
	want := map[Kind]Latency{Broke: {Failed: 1, Requests: 1}, ClientGone: {}, Busy: {}, Unused: {}}
	for k, latency := range want {
		f, c := still(kind("p", "mult"))
		w := active(t, f, "p", "a")[0]
		l := take(t, f, "mult")
		c.pass(time.Second)
		end(t, l, k)
		m := measure(t, f, "p")
		expect(t, "latency", m.Latency, latency)
		expect(t, "service times", len(m.Service), 0)
		expect(t, "served", w.served, 0)
		expect(t, "busy time", m.BusyTime, time.Second)
		audit(t, f)
	}
}

func TestMeasureRecentServiceTimesForgetSooner(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a")
	visit(t, f, c, 100*ms)
	c.pass(10 * time.Second)
	visit(t, f, c, 400*ms)
	m := measure(t, f, "p")
	expect(t, "services", count(m), 2)
	expect(t, "recent services", len(m.Recent), 1)
	if b := m.Recent[0]; b.N != 1 || b.Lower >= 400*ms || b.Upper < 400*ms {
		t.Errorf("recent: %+v", b)
	}
	expect(t, "all, the quick first", m.Service[0], meter.Bucket{Lower: m.Service[0].Lower, Upper: m.Service[0].Upper, N: 1})
	c.pass(61 * time.Second)
	expect(t, "services in the end", count(measure(t, f, "p")), 0)
}

func TestMeasureStandingIsTheLeastOfHalfASecond(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a", "b")
	one, two := take(t, f, "mult"), take(t, f, "mult")
	c.pass(time.Second)
	enqueue(t, f, Request{Capability: "mult"})
	c.pass(time.Second)
	expect(t, "standing since one waits", measure(t, f, "p").Standing, 3)
	gone := enqueue(t, f, Request{Capability: "mult"})
	c.pass(time.Second)
	expect(t, "standing while two wait", measure(t, f, "p").Standing, 4)
	if _, err := f.leave(gone, context.Canceled); err == nil {
		t.Fatal("who leaves gets no lease")
	}
	c.pass(time.Second)
	expect(t, "the least of the last 2 s", f.pools[0].gauge.standing.Min(f.since(), 2*time.Second), 3)
	end(t, one, Served) // who waited takes the place
	end(t, two, Served)
	c.pass(100 * ms)
	expect(t, "standing soon after", measure(t, f, "p").Standing, 1)
	take(t, f, "mult")
	c.pass(300 * ms)
	expect(t, "a dip is remembered", measure(t, f, "p").Standing, 1)
	c.pass(400 * ms)
	expect(t, "and forgotten", measure(t, f, "p").Standing, 2)
}

func TestMeasureAgesOfThoseWhoWaitAreGrouped(t *testing.T) {
	f, c := still(kind("p", "mult", "add"))
	for i := range 40 {
		enqueue(t, f, Request{Capability: []string{"mult", "add"}[i%2]})
		c.pass(10 * ms)
	}
	m := measure(t, f, "p")
	expect(t, "groups", len(m.Queued), 32)
	n := 0
	for i, g := range m.Queued {
		n += g.N
		if i > 0 && g.Age >= m.Queued[i-1].Age {
			t.Errorf("group %d is %v old, the one before %v", i, g.Age, m.Queued[i-1].Age)
		}
	}
	expect(t, "members", n, 40)
	expect(t, "oldest", m.Queued[0].Age, 400*ms)
	expect(t, "youngest", m.Queued[31].Age, 20*ms) // the elder of the last two
}

func TestGroupAges(t *testing.T) {
	s := time.Second
	tests := []struct {
		name string
		ages []time.Duration
		want []Group
	}{
		{"none", nil, []Group{}},
		{"one", []time.Duration{3 * s}, []Group{{3 * s, 1}}},
		{"oldest first, equals apart", []time.Duration{s, 3 * s, s}, []Group{{3 * s, 1}, {s, 1}, {s, 1}}},
	}
	for _, tt := range tests {
		expectList(t, tt.name, groupAges(tt.ages), tt.want)
	}
	var many []time.Duration
	for i := range 1000 {
		many = append(many, time.Duration(i)*ms)
	}
	groups := groupAges(many)
	expect(t, "groups of 1000", len(groups), 32)
	for i, g := range groups {
		if g.N < 31 || g.N > 32 {
			t.Errorf("group %d has %d members", i, g.N)
		}
		if off := (999*ms - time.Duration(i*1000/32)*ms) - g.Age; off < 0 || off > 32*ms {
			t.Errorf("group %d is %v old", i, g.Age)
		}
	}
}

func TestStatusShowsQuantilesOnlyWhenThereAreEnoughAnswers(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a")
	for n := 1; n <= 100; n++ {
		visit(t, f, c, 50*ms)
		s := statusOf(t, f, "p")
		got := [...]bool{s.P50 > 0, s.P95 > 0, s.P99 > 0}
		expect(t, "shown", got, [...]bool{n >= 2, n >= 20, n >= 100})
		for _, q := range []time.Duration{s.P50, s.P95, s.P99} {
			if q != 0 && (q < 48*ms || q > 52*ms) {
				t.Errorf("with %d answers of 50 ms a quantile of %v", n, q)
			}
		}
	}
	c.pass(11 * time.Second)
	expect(t, "when they are too old", statusOf(t, f, "p").P50, 0)
}

func TestStatusShowsPoolsAndWorkersAsTheyAre(t *testing.T) {
	f, c := still(field()...)
	f.SetDesired("general", 3, "because")
	f.SetDesired("nobody", 3, "because")
	add(t, f, Info{ID: "w", Pool: "general", Port: 20001, Hash: "h"})
	c.pass(400 * ms)
	f.Ready("w", "http://w", 1)
	register(t, f, Info{ID: "r", Pool: "general"})
	for range 4 {
		visit(t, f, c, 100*ms)
	}
	take(t, f, "add")
	s := statusOf(t, f, "general")
	expect(t, "desired", s.Desired, 3)
	expect(t, "reason", s.Reason, "because")
	expect(t, "in flight", s.InFlight, 1)
	expect(t, "target", s.Target, 300*ms)
	expectList(t, "capabilities", s.Capabilities, []string{"mult", "add"})
	expect(t, "workers", len(s.Workers), 2)
	w := s.Workers[0]
	got := WorkerStatus{Info: w.Info, State: Active, InFlight: 1, Served: 4, Age: 800 * ms, Ready: 400 * ms}
	expect(t, "id", w.ID, "w")
	w.Info.Capabilities, got.Info.Capabilities = nil, nil
	if w.State != got.State || w.InFlight != got.InFlight || w.Served != got.Served || w.Age != got.Age || w.Ready != got.Ready || w.Port != 20001 {
		t.Errorf("worker: %+v, want %+v", w, got)
	}
	expect(t, "one that registered was not started by us", s.Workers[1].Ready, 0)
	expect(t, "arrivals per second of a young fleet", statusOf(t, f, "mult").Rate, 4.0)
	add(t, f, Info{ID: "old", Pool: "general", Origin: Adopted})
	c.pass(100 * ms)
	f.Ready("old", "", 9)
	expect(t, "nor one that was adopted", statusOf(t, f, "general").Workers[2].Ready, 0)
	c.pass(7100 * ms)
	expect(t, "arrivals per second over 8 s", statusOf(t, f, "mult").Rate, 0.5)
	c.pass(8 * time.Second)
	expect(t, "arrivals per second when calm", statusOf(t, f, "mult").Rate, 0.0)
}
