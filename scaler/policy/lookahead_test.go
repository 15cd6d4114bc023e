package policy

import (
	"math/rand/v2"
	"testing"
	"time"
)

// ahead is what the look-ahead of a changed quiet pool plays: D 0.6 s, T 0.3 s, tasks of exactly 0.1 s, nothing to do.
func ahead(change func(*Config, *Snapshot)) (*view, *played) {
	v := looking(func(c *Config, in *Snapshot) {
		in.Slow.Arrivals, in.Busy, in.MeanBusy = 0, 0, 0
		if change != nil {
			change(c, in)
		}
	})
	v.learn()
	f := v.expect()
	o := &played{law: &v.long}
	v.lookAhead(&o.outlook, o.law, &f)
	return v, o
}

// played is an outlook with the law it is played with.
type played struct {
	outlook
	law *law
}

func (p *played) play(workers int) outcome { return p.outlook.play(p.law, workers) }

func TestNobodyMissesWhenNobodyComes(t *testing.T) {
	_, o := ahead(nil)
	if got := o.play(0); o.n != 0 || got != (outcome{}) {
		t.Errorf("%v requests, outcome %+v", o.n, got)
	}
}

func TestAQueueMissesAsFarAsItDrainsTooLate(t *testing.T) {
	// Ten that have just come. With c workers c are taken each 0.1 s; who waits 0.2 s or less is in time.
	tests := []struct {
		workers      int
		missed, left float64
	}{
		{0, 10, 10},
		{1, 7, 0}, // 1 s for all: three are in time
		{2, 4, 0},
		{4, 0, 0}, // the last two after 0.2 s
	}
	for _, tt := range tests {
		_, o := ahead(func(_ *Config, in *Snapshot) { in.Queue, in.Queued = 10, []Group{{N: 10}} })
		got := o.play(tt.workers)
		near(t, "missed", got.missed, tt.missed, 0.9)
		near(t, "left", got.left, tt.left, 0.6)
	}
}

func TestHowLongSomebodyHasWaitedCounts(t *testing.T) {
	for _, tt := range []struct {
		age    time.Duration
		missed float64
	}{{0, 0}, {150 * time.Millisecond, 0}, {250 * time.Millisecond, 4}, {time.Minute, 4}} {
		_, o := ahead(func(_ *Config, in *Snapshot) { in.Queue, in.Queued = 4, []Group{{Age: tt.age, N: 4}} })
		near(t, "missed after "+tt.age.String(), o.play(4).missed, tt.missed, 0.05)
	}
}

// A slot that may not be used yet is like one whose task has just begun.
func TestSlotsThatAreWithheldServeNobodyForOneServiceTime(t *testing.T) {
	queue := func(in *Snapshot) { in.Active, in.Queue, in.Queued = 4, 12, []Group{{N: 12}} }
	missed := func(change func(*Snapshot)) float64 {
		_, o := ahead(func(_ *Config, in *Snapshot) { queue(in); change(in) })
		return o.play(4).missed
	}
	free := missed(func(*Snapshot) {})
	taken := missed(func(in *Snapshot) { in.Busy, in.InService = 3, []Group{{N: 3}} })
	held := missed(func(in *Snapshot) { in.Withheld = 3 })
	near(t, "missed with three withheld", held, taken, 1e-9)
	if held <= free {
		t.Errorf("%v miss with three slots withheld, %v with all", held, free)
	}
}

func TestTasksInServiceKeepTheirSlotsForAsLongAsTheirAgeSays(t *testing.T) {
	_, o := ahead(func(_ *Config, in *Snapshot) {
		in.Service = []Bucket{{100 * time.Millisecond, 100 * time.Millisecond, 300}, {time.Second, time.Second, 300}}
		in.Busy, in.InService = 3, []Group{{Age: 500 * time.Millisecond, N: 1}, {Age: 10 * time.Millisecond, N: 2}}
	})
	// The one of 0.5 s is one of the long ones; of the two young ones half are.
	near(t, "slots in the first step", o.old[0], 3, 0.2)
	near(t, "slots after 0.3 s", o.old[int(0.3/o.step)], 2, 0.25)
	near(t, "slots after 0.7 s", o.old[int(0.7/o.step)], 1, 0.3)
}

func TestATaskOlderThanAnythingKnownIsExpectedToLastAsLongAgain(t *testing.T) {
	_, o := ahead(func(_ *Config, in *Snapshot) {
		in.Service = exactly(time.Millisecond, 100_000)
		in.Busy, in.InService = 2, []Group{{Age: time.Minute, N: 2}}
	})
	for k, old := range o.old {
		near(t, "slots in service", old, 2, 0.1)
		if k > 0 && old > o.old[k-1] {
			t.Errorf("they grow in step %d", k)
		}
	}
}

func TestCapacityComesWhenStartsAreReady(t *testing.T) {
	// One has begun 0.5 s ago, one at a time: it is ready in 0.1 s, the next 0.6 s later.
	_, o := ahead(func(c *Config, in *Snapshot) {
		c.Parallel, c.Concurrency = 1, 2
		in.Active, in.Spare, in.Others, in.Begun = 2, 1, 3, []time.Duration{500 * time.Millisecond}
	})
	at := func(workers int, seconds float64) float64 { c := o.capacity(workers); return c[int(seconds/o.step)] }
	for _, tt := range []struct {
		workers       int
		seconds, want float64
	}{{0, 0, 3}, {2, 0, 7}, {3, 0, 9}, {4, 0, 9}, {4, 0.3, 11}, {5, 0.3, 11}, {5, 0.9, 13}, {9, 0.99, 13}} {
		near(t, "the capacity", at(tt.workers, tt.seconds), tt.want, 1e-9)
	}
	c := o.capacity(4)
	if part := c[int(0.1/o.step)]; part <= 9 || part >= 11 {
		t.Errorf("in the step in which it becomes ready there are %v slots, want a part of two more than 9", part)
	}
}

func TestStartsGoThroughTheSlotsOfTheDriver(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*Config, *Snapshot)
		horizon float64
		want    []float64
	}{
		{"none in flight", nil, 1.3, []float64{0.6, 0.6, 0.6, 0.6, 1.2, 1.2, 1.2, 1.2}},
		{"two in flight", func(_ *Config, in *Snapshot) {
			in.Begun = []time.Duration{400 * time.Millisecond, 100 * time.Millisecond}
		}, 1, []float64{0.2, 0.5, 0.6, 0.6, 0.8}},
		{"one that should have been ready", func(_ *Config, in *Snapshot) { in.Begun = []time.Duration{time.Minute} }, 0.66, []float64{0.05, 0.6, 0.6, 0.6, 0.65}},
		{"no start is ready in time", nil, 0.5, nil},
		{"a start time not measured is 0.8 s", func(c *Config, in *Snapshot) { c.Parallel, in.StartTime = 1, 0 }, 1.7, []float64{0.8, 1.6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var at [maxStarts]float64
			n := looking(tt.change).startsReady(&at, tt.horizon)
			if n != len(tt.want) {
				t.Fatalf("%d starts at %v, want %v", n, at[:n], tt.want)
			}
			for i, want := range tt.want {
				near(t, "a start", at[i], want, 1e-9)
			}
		})
	}
}

func TestMoreWorkersNeverMissMore(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 6))
		_, o := ahead(func(_ *Config, in *Snapshot) {
			in.Service = []Bucket{{50 * time.Millisecond, 50 * time.Millisecond, 100}, {400 * time.Millisecond, 400 * time.Millisecond, r.IntN(100)}}
			in.Queue, in.Busy, in.Slow.Arrivals = r.IntN(60), r.IntN(5), r.IntN(2000)
			for i := range min(in.Queue, 10) {
				in.Queued = append(in.Queued, Group{Age: time.Duration(10-i) * 30 * time.Millisecond, N: in.Queue / 10})
			}
		})
		last := o.play(0).cost()
		for c := 1; c < 20; c++ {
			cost := o.play(c).cost()
			if cost > last*1.001+0.05 {
				t.Errorf("seed %d: %d workers cost %v, one less %v", seed, c, cost, last)
			}
			last = cost
		}
	}
}

// What comes in is taken, left or both: nothing is lost on the way.
func TestThePlayKeepsAccount(t *testing.T) {
	_, o := ahead(func(_ *Config, in *Snapshot) {
		in.Service = exactly(200*time.Millisecond, 100)
		in.Queue, in.Queued = 40, []Group{{Age: time.Minute, N: 40}} // all of them have missed
	})
	for c := range 12 {
		got := o.play(c)
		near(t, "missed", got.missed, 40, 1e-6)
		if c == 0 && got.left != 40 || c > 0 && got.left >= 40 {
			t.Errorf("with %d workers %v are left", c, got.left)
		}
	}
}
