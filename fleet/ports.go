package fleet

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrNoPort: every port of the range is leased or quarantined.
var ErrNoPort = errors.New("no free port in the range")

// Ports is a bounded range of host ports that are used again and again. A port has one owner at a time; the one that has been free longest
// goes first, so that a port gets the most time to be let go by whoever had it. All methods may be called concurrently.
type Ports struct {
	from, to int
	now      func() time.Time

	mu          sync.Mutex
	free        []int // oldest-free first
	leased      map[int]bool
	quarantined map[int]quarantine
}

type quarantine struct {
	until  time.Time
	times  int
	reason string
}

// PortsStatus is what a person is shown.
type PortsStatus struct {
	From, To    int // 0, -1: there are none
	Leased      int // adopted ones outside the range included
	Free        int
	Quarantined []PortTrouble
}

// PortTrouble is a port nobody is given for now, and why.
type PortTrouble struct {
	Port   int
	Reason string
	Until  time.Time
}

const (
	quarantineBase = 60 * time.Second
	quarantineMax  = 10 * time.Minute
)

// NewPorts makes a pool of the ports from..to, both included.
func NewPorts(from, to int, now func() time.Time) *Ports {
	p := &Ports{from: from, to: to, now: now, leased: map[int]bool{}, quarantined: map[int]quarantine{}}
	for port := from; port <= to; port++ {
		p.free = append(p.free, port)
	}
	return p
}

// NoPorts makes a pool without any, for workers that have addresses of their own. One that holds a port of the host all the same, because an
// earlier balancer gave it one, can still be booked with Adopt.
func NoPorts(now func() time.Time) *Ports { return NewPorts(0, -1, now) }

// Lease books the port that has been free longest. The caller must make sure that nobody else holds it, and Quarantine it if so.
func (p *Ports) Lease() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parole()
	if len(p.free) == 0 {
		set := p.setAside()
		return 0, fmt.Errorf("%w: %d-%d, %d leased, %d quarantined", ErrNoPort, p.from, p.to, max(p.to-p.from+1-len(set), 0), len(set))
	}
	port := p.free[0]
	p.free = p.free[1:]
	p.leased[port] = true
	return port, nil
}

// Adopt books a port that a worker found at start already holds. It reports false when the port has an owner. A port outside the
// range is nobody's business but the worker's: it is booked and never goes to the free list.
func (p *Ports) Adopt(port int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leased[port] {
		return false
	}
	p.free = slices.DeleteFunc(p.free, func(f int) bool { return f == port })
	delete(p.quarantined, port)
	p.leased[port] = true
	return true
}

// Return gives a leased port back. Call it only once nothing of ours holds the port any more and a bind on it succeeded.
func (p *Ports) Return(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.leased[port] {
		return
	}
	delete(p.leased, port)
	if p.from <= port && port <= p.to {
		p.free = append(p.free, port)
	}
}

// Quarantine takes a leased port out of use because somebody holds it: for a minute at first, twice as long each time in a row it is
// found taken, at most ten minutes.
func (p *Ports) Quarantine(port int, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.leased[port] {
		return
	}
	delete(p.leased, port)
	if port < p.from || port > p.to {
		return
	}
	q := p.quarantined[port]
	q.times++
	q.reason = reason
	q.until = p.now().Add(min(quarantineBase<<min(q.times-1, 10), quarantineMax))
	p.quarantined[port] = q
}

// Clear forgets the trouble a leased port once gave. Call it when a worker has come up on it.
func (p *Ports) Clear(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leased[port] {
		delete(p.quarantined, port)
	}
}

// parole lets ports whose time is over back into the free list; how often they were taken stays known until Clear.
func (p *Ports) parole() {
	now := p.now()
	var over []int
	for port, q := range p.quarantined {
		if !q.until.IsZero() && !now.Before(q.until) {
			over = append(over, port)
			p.quarantined[port] = quarantine{times: q.times}
		}
	}
	slices.Sort(over)
	p.free = append(p.free, over...)
}

// Status counts the ports.
func (p *Ports) Status() PortsStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parole()
	return PortsStatus{From: p.from, To: p.to, Leased: len(p.leased), Free: len(p.free), Quarantined: p.setAside()}
}

// setAside lists the ports nobody is given for now, in order.
func (p *Ports) setAside() []PortTrouble {
	var set []PortTrouble
	for port, q := range p.quarantined {
		if !q.until.IsZero() {
			set = append(set, PortTrouble{Port: port, Reason: q.reason, Until: q.until})
		}
	}
	slices.SortFunc(set, func(a, b PortTrouble) int { return a.Port - b.Port })
	return set
}
