package policy

import (
	"testing"
	"time"
)

func TestNextIsTheLeastThatDoesNoWorseThanUnlimited(t *testing.T) {
	changes := map[string]func(*Config, *Snapshot){
		"a queue":      func(_ *Config, in *Snapshot) { in.Queue, in.Queued = 30, []Group{{N: 30}} },
		"an old queue": func(_ *Config, in *Snapshot) { in.Queue, in.Queued = 30, []Group{{Age: time.Second, N: 30}} },
		"a surge":      func(_ *Config, in *Snapshot) { in.Windows = []Window{{time.Second, 90, 90}} },
		"slow starts": func(_ *Config, in *Snapshot) {
			in.StartTime, in.Windows = 5*time.Second, []Window{{time.Second, 90, 90}}
		},
		"at the max": func(c *Config, in *Snapshot) { c.Max, in.Windows = 5, []Window{{time.Second, 90, 90}} },
		"calm":       func(_ *Config, in *Snapshot) { in.Slow.Arrivals = 300 },
		"more than it may have": func(c *Config, in *Snapshot) {
			c.Max, in.Active, in.Windows = 3, 9, []Window{{time.Second, 90, 90}}
		},
	}
	for name, change := range changes {
		v, o := ahead(change)
		most := min(v.cfg.Max, o.ready+o.nStart)
		bar := o.play(most).cost() + 0.01*o.n + grain
		want := 0
		for o.play(want).cost() > bar {
			want++
		}
		for from := range most + 5 {
			v.mem.next = from
			if got := v.least(&o.outlook, o.law); got != want {
				t.Errorf("%s, searched from %d: %d workers, want %d of at most %d", name, from, got, want, most)
			}
		}
	}
}

func TestAQueueThatDrainsInTimeBuysNothing(t *testing.T) {
	v, _ := ahead(func(c *Config, in *Snapshot) { c.Target, in.Queue, in.Queued = 2*time.Second, 10, []Group{{N: 10}} })
	if n := v.next(); n != 1 {
		t.Errorf("ten tasks of 0.1 s with 2 s to do them need %d workers, want 1", n)
	}
}

func TestWorkersThatCannotBeReadyInTimeAreNotBought(t *testing.T) {
	v, _ := ahead(func(_ *Config, in *Snapshot) {
		in.Active, in.Spare = 2, 1
		in.Queue, in.Queued, in.StartTime = 10, []Group{{Age: 100 * time.Millisecond, N: 10}}, 5*time.Second
	})
	if n := v.next(); n > 3 {
		t.Errorf("%d workers for a queue that will have drained long before any is ready, want at most the 3 there are", n)
	}
}

func TestSlowerServiceOfLateAsksForMore(t *testing.T) {
	surge := func(_ *Config, in *Snapshot) { in.Windows = []Window{{time.Second, 40, 40}} }
	v, _ := ahead(surge)
	quick := v.next()
	v, _ = ahead(func(c *Config, in *Snapshot) { surge(c, in); in.Recent = exactly(250*time.Millisecond, 40) })
	if slow := v.next(); slow < quick+3 {
		t.Errorf("%d workers with tasks of 0.25 s of late, %d without", slow, quick)
	}
}
