package policy

import (
	"testing"
	"time"
)

func TestTheWaitIsShortOnlyWhileAStandingQueueCannotBeHelped(t *testing.T) {
	// T 0.3 s, D 0.6 s, tasks of 0.1 s: a queue stands after 1.2 s when its first is late, and who can still be in time has waited 0.2 s at most.
	full := func(c *Config, in *Snapshot) {
		c.Max, in.Queue, in.Queued = 4, 9, []Group{{Age: 300 * time.Millisecond, N: 2}, {N: 7}}
	}
	tests := []struct {
		name   string
		change func(*Config, *Snapshot)
		after  time.Duration
		short  bool
	}{
		{"not yet", full, 1199 * time.Millisecond, false},
		{"standing at the max", full, 1200 * time.Millisecond, true},
		{"callers that wait, each in time", func(c *Config, in *Snapshot) {
			full(c, in)
			in.Queued[0].Age = 299 * time.Millisecond
		}, time.Minute, false},
		{"long tasks, and nobody waits for two", func(c *Config, in *Snapshot) {
			full(c, in)
			in.Service, in.Queued[0].Age = exactly(time.Second, 600), 1999*time.Millisecond
		}, time.Minute, false},
		{"the last worker there may be is on its way", func(c *Config, in *Snapshot) {
			full(c, in)
			c.Max, in.Begun = 5, []time.Duration{time.Second}
		}, time.Minute, false},
		{"a start is on its way", func(c *Config, in *Snapshot) { full(c, in); c.Max = 5 }, 2 * time.Second, false},
		{"no start before the back-off", func(c *Config, in *Snapshot) {
			full(c, in)
			c.Max, in.StartFails = 9, 5
		}, 2 * time.Second, true},
		{"nobody is served", func(c *Config, in *Snapshot) { full(c, in); c.Max, in.Active, in.Spare = 0, 0, 0 }, time.Minute, false},
		{"starts are slow", func(c *Config, in *Snapshot) { full(c, in); in.StartTime = 5 * time.Second }, 9 * time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, in := quiet()
			tt.change(&cfg, &in)
			d, s := Decide(cfg, in, State{})
			if d.Wait != 0 {
				t.Errorf("the wait is %v at once", d.Wait)
			}
			in.Now += tt.after
			d, _ = Decide(cfg, in, s)
			if (d.Wait != 0) != tt.short {
				t.Errorf("the wait is %v", d.Wait)
			}
			if tt.short {
				near(t, "the wait", d.Wait.Seconds(), 0.2, 0.01)
			}
		})
	}
}

func TestTheWaitStaysShortWhileTheQueueIsEmptyForMomentsOnly(t *testing.T) {
	cfg, in := quiet()
	cfg.Max = 4
	var s State
	var d Decision
	for _, tt := range []struct {
		at    time.Duration
		queue int
		age   time.Duration
		short bool
	}{
		{0, 5, time.Second, false}, {2 * time.Second, 5, time.Second, true}, {2250 * time.Millisecond, 0, 0, true},
		{2500 * time.Millisecond, 5, 0, true}, {3499 * time.Millisecond, 0, 0, true}, {3500 * time.Millisecond, 0, 0, false},
		{4 * time.Second, 5, time.Second, false},
	} {
		in.Now, in.Queue, in.Queued = time.Hour+tt.at, tt.queue, []Group{{Age: tt.age, N: tt.queue}}
		if d, s = Decide(cfg, in, s); (d.Wait != 0) != tt.short {
			t.Errorf("after %v the wait is %v", tt.at, d.Wait)
		}
	}
}

func TestWhoTakesLongerThanTheTargetIsGivenHalfATaskToWait(t *testing.T) {
	v := looking(func(c *Config, in *Snapshot) {
		c.Max, in.Queue, in.Service = 4, 5, exactly(time.Second, 50)
		in.Queued = []Group{{Age: 2 * time.Second, N: 5}}
	})
	v.learn()
	v.mem.short, v.mem.queued = true, true
	near(t, "the wait", v.patience(&Decision{}).Seconds(), 0.5, 0.01)
}

func TestAQueueThatMovesAgainIsNotHeldAgainstThoseWhoCome(t *testing.T) {
	cfg, in := quiet()
	cfg.Max, in.Queue = 4, 5
	var s State
	var d Decision
	for at := time.Duration(0); at < time.Minute; at += 250 * time.Millisecond {
		age := time.Second
		if at%(500*time.Millisecond) == 0 { // every other time who is next has not waited for long
			age = 100 * time.Millisecond
		}
		in.Now, in.Queued = time.Hour+at, []Group{{Age: age, N: 5}}
		if d, s = Decide(cfg, in, s); d.Wait != 0 {
			t.Fatalf("after %v the wait is %v", at, d.Wait)
		}
	}
}
