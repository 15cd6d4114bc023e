package fleet

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// stillPorts makes a range on a clock that moves only when told.
func stillPorts(from, to int) (*Ports, *clock) {
	c := &clock{now: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)}
	return NewPorts(from, to, c.Now), c
}

func lease(t testing.TB, p *Ports) int {
	t.Helper()
	port, err := p.Lease()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestPortsGiveTheOneThatHasBeenFreeLongest(t *testing.T) {
	p, _ := stillPorts(20000, 20003)
	expect(t, "first", lease(t, p), 20000)
	expect(t, "second", lease(t, p), 20001)
	p.Return(20001)
	p.Return(20000)
	var rest []int
	for range 4 {
		rest = append(rest, lease(t, p))
	}
	expectList(t, "the others, then as they came back", rest, []int{20002, 20003, 20001, 20000})
}

func TestPortsAreNeverBookedTwice(t *testing.T) {
	p := NewPorts(20000, 20015, time.Now)
	var mu sync.Mutex
	owned := map[int]bool{}
	var wg sync.WaitGroup
	for seed := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			for range 2000 {
				port, err := p.Lease()
				if errors.Is(err, ErrNoPort) {
					continue
				}
				mu.Lock()
				if owned[port] {
					t.Errorf("port %d is booked twice", port)
				}
				owned[port] = true
				if random.IntN(20) == 0 && p.Adopt(port) {
					t.Errorf("port %d has an owner and could be adopted", port)
				}
				delete(owned, port)
				mu.Unlock()
				p.Return(port)
				if random.IntN(20) == 0 {
					p.Return(port - 1000) // of nobody
				}
			}
		})
	}
	wg.Wait()
	expect(t, "free at the end", p.Status().Free, 16)
	expect(t, "leased at the end", p.Status().Leased, 0)
}

func TestPortsReturnedTwiceAreFreeOnce(t *testing.T) {
	p, _ := stillPorts(20000, 20001)
	port := lease(t, p)
	p.Return(port)
	p.Return(port)
	p.Return(20001) // never leased
	expect(t, "free", p.Status().Free, 2)
	lease(t, p)
	lease(t, p)
	_, err := p.Lease()
	expectErr(t, err, ErrNoPort)
}

func TestPortsQuarantineDoublesFromAMinuteToTenAndEnds(t *testing.T) {
	p, c := stillPorts(20000, 20000)
	for _, want := range []time.Duration{1, 2, 4, 8, 10, 10, 10, 10, 10, 10, 10, 10, 10} {
		port := lease(t, p)
		p.Quarantine(port, "held by another program")
		s := p.Status()
		expect(t, "leased", s.Leased, 0)
		expect(t, "free", s.Free, 0)
		expectList(t, "quarantined", s.Quarantined, []PortTrouble{{Port: 20000, Reason: "held by another program", Until: c.now.Add(want * time.Minute)}})
		c.pass(want*time.Minute - 1)
		_, err := p.Lease()
		expectErr(t, err, ErrNoPort)
		c.pass(1)
		s = p.Status()
		expect(t, "free after its time", s.Free, 1)
		expect(t, "quarantined after its time", len(s.Quarantined), 0)
	}
	port := lease(t, p)
	p.Clear(port)
	p.Quarantine(port, "held again")
	expect(t, "until, after a worker had come up on it", p.Status().Quarantined[0].Until, c.now.Add(time.Minute))
}

func TestPortsBackFromQuarantineQueueUpBehindTheFree(t *testing.T) {
	p, c := stillPorts(20000, 20003)
	for range 2 {
		lease(t, p)
	}
	p.Quarantine(20001, "held")
	p.Quarantine(20000, "held")
	c.pass(time.Minute)
	var got []int
	for range 4 {
		got = append(got, lease(t, p))
	}
	expectList(t, "order", got, []int{20002, 20003, 20000, 20001})
}

func TestPortsQuarantineIsOnlyForLeasedPortsOfTheRange(t *testing.T) {
	p, _ := stillPorts(20000, 20001)
	p.Quarantine(20000, "nobody's")
	expect(t, "free", p.Status().Free, 2)
	p.Adopt(9000)
	p.Quarantine(9000, "outside")
	s := p.Status()
	expect(t, "quarantined", len(s.Quarantined), 0)
	expect(t, "free", s.Free, 2)
	expect(t, "leased", s.Leased, 0)
}

func TestPortsClearLosesNoPort(t *testing.T) {
	p, c := stillPorts(20000, 20000)
	p.Quarantine(lease(t, p), "held")
	p.Clear(20000) // late: the worker that came up on it is gone
	expect(t, "still quarantined", len(p.Status().Quarantined), 1)
	c.pass(time.Minute)
	expect(t, "back", lease(t, p), 20000)
}

func TestPortsAdoptInsideAndOutsideTheRange(t *testing.T) {
	p, _ := stillPorts(20000, 20002)
	expect(t, "inside", p.Adopt(20000), true)
	expect(t, "twice", p.Adopt(20000), false)
	expect(t, "outside", p.Adopt(9000), true)
	expect(t, "outside twice", p.Adopt(9000), false)
	p.Quarantine(lease(t, p), "held") // 20001
	expect(t, "quarantined", p.Adopt(20001), true)
	expect(t, "leased", p.Status().Leased, 3)
	expect(t, "quarantined", len(p.Status().Quarantined), 0)
	expect(t, "the only free one", lease(t, p), 20002)

	p.Return(9000)
	_, err := p.Lease()
	expectErr(t, err, ErrNoPort) // a port from outside never gets into the range
	p.Return(20000)
	expect(t, "back in the range", lease(t, p), 20000)
}

func TestPortsExhaustedSayTheNumbers(t *testing.T) {
	p, _ := stillPorts(20000, 20004)
	p.Adopt(9000)
	p.Adopt(9001)
	for range 5 {
		lease(t, p)
	}
	p.Quarantine(20003, "held")
	p.Quarantine(20004, "held")
	_, err := p.Lease()
	expectErr(t, err, ErrNoPort)
	for _, want := range []string{"20000-20004", "3 leased", "2 quarantined"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	s := p.Status()
	expect(t, "from", s.From, 20000)
	expect(t, "to", s.To, 20004)
	expectList(t, "quarantined, in order", []int{s.Quarantined[0].Port, s.Quarantined[1].Port}, []int{20003, 20004})
}

func TestPortsOfAnEmptyRange(t *testing.T) {
	p, _ := stillPorts(20001, 20000)
	_, err := p.Lease()
	expectErr(t, err, ErrNoPort)
	if !strings.Contains(err.Error(), "0 leased, 0 quarantined") {
		t.Errorf("error %q", err)
	}
}
