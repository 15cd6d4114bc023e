package fleet

import (
	"fmt"
	"testing"
	"time"
)

// broad is a pool whose workers take twenty tasks at a time and ramp for ten seconds.
func broad() PoolConfig {
	return with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency, p.Ramp = 20, 10*time.Second })
}

func expectLimit(t testing.TB, f *Fleet, id string, want int) {
	t.Helper()
	w, _, _ := f.Worker(id)
	if int(w.limit) != want {
		t.Errorf("worker %s may have %d tasks at a time, want %d", id, w.limit, want)
	}
	audit(t, f)
}

// takeAll takes every slot there is.
func takeAll(t testing.TB, f *Fleet) (held []Lease) {
	t.Helper()
	for l, err := try(f, Request{Capability: "mult"}); err == nil; l, err = try(f, Request{Capability: "mult"}) {
		held = append(held, l)
	}
	return held
}

func TestRampFreshWorkerDoesNotGetTheWholeQueue(t *testing.T) {
	f, _ := still(broad())
	var waiting []*waiter
	for range 30 {
		waiting = append(waiting, enqueue(t, f, Request{Capability: "mult"}))
	}
	active(t, f, "p", "a")
	expect(t, "in flight", measure(t, f, "p").Busy, 2)
	expectGrant(t, waiting[0], "a")
	expectGrant(t, waiting[1], "a")
	expectGrant(t, waiting[2], "")
	expectLimit(t, f, "a", 2)
}

func TestRampDoublesWithEachRoundOfAnswers(t *testing.T) {
	f, _ := still(broad())
	active(t, f, "p", "a")
	for _, want := range []int{2, 4, 8, 16, 20, 20} {
		held := takeAll(t, f)
		expect(t, "at a time", len(held), want)
		for _, l := range held {
			end(t, l, Served)
			audit(t, f)
		}
	}
}

func TestRampAnAnswerFeedsTwoOfThoseWhoWait(t *testing.T) {
	f, _ := still(broad())
	active(t, f, "p", "a")
	held := takeAll(t, f)
	one, two, three := enqueue(t, f, Request{Capability: "mult"}), enqueue(t, f, Request{Capability: "mult"}), enqueue(t, f, Request{Capability: "mult"})
	end(t, held[0], Served)
	expectGrant(t, one, "a")
	expectGrant(t, two, "a")
	expectGrant(t, three, "")
	audit(t, f)
}

func TestRampOnlyAnswersOpenSlots(t *testing.T) {
	for kind, want := range map[Kind]int{Served: 3, Tunnel: 3, Broke: 2, ClientGone: 2, Unused: 2} {
		f, _ := still(broad())
		active(t, f, "p", "a")
		end(t, take(t, f, "mult"), kind)
		expectLimit(t, f, "a", want)
	}
}

func TestRampIsOverInTimeHoweverLongTasksTake(t *testing.T) {
	f, c := still(broad())
	active(t, f, "p", "a")
	takeAll(t, f)
	var waiting []*waiter
	for range 20 {
		waiting = append(waiting, enqueue(t, f, Request{Capability: "mult"}))
	}
	measure(t, f, "p") // it begins to count
	c.pass(5 * time.Second)
	measure(t, f, "p")
	expectLimit(t, f, "a", 10)
	expectGrant(t, waiting[7], "a")
	expectGrant(t, waiting[8], "")
	c.pass(5 * time.Second)
	measure(t, f, "p")
	expectLimit(t, f, "a", 20)
	expect(t, "still ramping", len(f.ramping), 0)
}

func TestRampOfASpareBeginsWithItsWork(t *testing.T) {
	f, c := still(broad())
	spares(t, f, "p", "a")
	for range 20 {
		c.pass(time.Second)
		measure(t, f, "p")
	}
	expectLimit(t, f, "a", 2)
	expect(t, "withheld", measure(t, f, "p").Withheld, 18)
	take(t, f, "mult")
	c.pass(time.Second)
	measure(t, f, "p")
	c.pass(5 * time.Second)
	measure(t, f, "p")
	expectLimit(t, f, "a", 10)
}

func TestRampIsForThoseWhoHaveNotServedBefore(t *testing.T) {
	f, _ := still(broad())
	for _, info := range []Info{
		{ID: "cold", Origin: Cold}, {ID: "registered", Origin: Registered}, {ID: "member", Origin: Member},
		{ID: "adopted", Origin: Adopted}, {ID: "warm", Origin: Member, Warm: true},
	} {
		info.Pool = "p"
		add(t, f, info)
		f.Ready(info.ID, "", 100)
		want := 2
		if info.Origin == Adopted || info.Warm {
			want = 20
		}
		expectLimit(t, f, info.ID, want)
	}
	expect(t, "withheld", measure(t, f, "p").Withheld, 3*18)
}

func TestRampChangesNothingForOneTaskAtATimeOrWhenItIsOff(t *testing.T) {
	for _, p := range []PoolConfig{
		with(broad(), func(p *PoolConfig) { p.Concurrency = 1 }),
		with(broad(), func(p *PoolConfig) { p.Ramp = 0 }),
	} {
		f, _ := still(p)
		active(t, f, "p", "a")
		expectLimit(t, f, "a", p.Concurrency)
		expect(t, "ramping", len(f.ramping), 0)
	}
}

func TestRampAndLimitHoldBoth(t *testing.T) {
	f, _ := still(broad())
	active(t, f, "p", "a")
	limit(t, f, "a", 3)
	expectLimit(t, f, "a", 2)
	end(t, take(t, f, "mult"), Served)
	end(t, take(t, f, "mult"), Served)
	expectLimit(t, f, "a", 3)
	limit(t, f, "a", 20)
	expectLimit(t, f, "a", 4)
}

func TestRampEndsWhenItIsSwitchedOff(t *testing.T) {
	f, _ := still(broad())
	active(t, f, "p", "a")
	f.Update(with(broad(), func(p *PoolConfig) { p.Ramp = 0 }))
	measure(t, f, "p")
	expectLimit(t, f, "a", 20)
}

func TestRampForgetsThoseWhoLeave(t *testing.T) {
	f, _ := still(broad())
	active(t, f, "p", "a", "b", "c")
	f.Drain("a", "test")
	f.Fail("b", "test")
	f.Remove("c")
	expect(t, "ramping", len(f.ramping), 0)
	audit(t, f)
}

// When every worker is fresh and a queue waits, the ramp costs a few service times and no more.
func TestRampDoesNotStarveAFreshPool(t *testing.T) {
	const service = 100 * ms
	took := map[time.Duration]time.Duration{}
	for _, ramp := range []time.Duration{0, 10 * time.Second} {
		f, c := still(with(broad(), func(p *PoolConfig) { p.Ramp = ramp }))
		for i := range 3 {
			active(t, f, "p", fmt.Sprint("w", i))
		}
		for left := 600; left > 0; {
			held := takeAll(t, f)
			left -= len(held)
			c.pass(service)
			for _, l := range held {
				end(t, l, Served)
			}
		}
		took[ramp] = f.Clock()
	}
	t.Log(took)
	if took[10*time.Second] > took[0]+4*service {
		t.Errorf("600 requests take %v, without a ramp %v", took[10*time.Second], took[0])
	}
}

type taker struct {
	nobody
	held []Held
}

func (k *taker) Given(held []Held, _ uint64) { k.held = held }

func TestRampIsNotRunTwiceByAWorkerThatIsHandedOver(t *testing.T) {
	f, _ := still(with(broad(), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "served", "fresh")
	for _, l := range takeAll(t, f) {
		if l.Worker.ID == "served" {
			end(t, l, Served)
		}
	}
	var k taker
	f.HandOver(&k)
	expect(t, "served", k.held[0].Warm, true)
	expect(t, "fresh", k.held[1].Warm, false)
}
