package handover

import (
	"context"
	"errors"
	"net"
	"sync"

	"understudy/fleet"
)

// ErrGone says that the other process closed the line, most likely by ending.
var ErrGone = errors.New("the other process is gone")

// FailedError is why a successor will not take over.
type FailedError struct{ Why string }

func (e FailedError) Error() string { return e.Why }

// Successor is what a predecessor sees of the process that takes over. It is who has the workers from HandOver on. All methods may be called
// concurrently.
type Successor struct {
	line   *line
	stages map[Stage]chan struct{}
	failed chan struct{} // closed when why is there

	mu      sync.Mutex
	why     string
	last    uint64
	waiting map[uint64]chan message // wants that have no answer yet, each with room for one
}

var _ fleet.Elsewhere = (*Successor)(nil)

// NewSuccessor speaks first.
func NewSuccessor(conn net.Conn, h Hello) *Successor {
	s := &Successor{
		line: newLine(conn), failed: make(chan struct{}), waiting: map[uint64]chan message{},
		stages: map[Stage]chan struct{}{Prepared: make(chan struct{}), Adopted: make(chan struct{}), Serving: make(chan struct{})},
	}
	h.Version = Version
	s.line.send(message{Kind: kindHello, Hello: &h})
	s.line.run(s.hear)
	return s
}

// Await returns nil once the successor has come so far. Otherwise it returns a FailedError, ErrGone, or ctx's cause.
func (s *Successor) Await(ctx context.Context, stage Stage) error {
	select {
	case <-s.stages[stage]:
		return nil
	case <-s.failed:
	case <-s.line.gone:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select { // it may have said why before it went
	case <-s.failed:
		s.mu.Lock()
		defer s.mu.Unlock()
		return FailedError{s.why}
	default:
		return ErrGone
	}
}

// Bequeath says what there is.
func (s *Successor) Bequeath(e Estate) { s.line.send(message{Kind: kindEstate, Estate: &e}) }

// Abort tells the successor to end: it will not get the workers.
func (s *Successor) Abort(why string) { s.line.send(message{Kind: kindAbort, Why: why}) }

// Close ends the line. Claims that have no answer end with fleet.ErrTakenBack.
func (s *Successor) Close() { s.line.close() }

// Gone is closed when the successor is gone, or Close was called.
func (s *Successor) Gone() <-chan struct{} { return s.line.gone }

// Given implements fleet.Elsewhere.
func (s *Successor) Given(held []fleet.Held, order uint64) {
	s.line.send(message{Kind: kindHeld, Order: order, Estate: &Estate{Workers: Workers(held)}})
}

// Workers puts the fleet's list into words.
func Workers(held []fleet.Held) []Worker {
	out := make([]Worker, 0, len(held))
	for _, h := range held {
		out = append(out, Worker{Info: h.Info, State: stateWord(h.State), Reason: h.Reason, Busy: h.Busy})
	}
	return out
}

// Held puts a worker back into the fleet's words.
func (w Worker) Held() fleet.Held {
	return fleet.Held{Info: w.Info, State: stateOf(w.State), Reason: w.Reason, Busy: w.Busy}
}

// Claim implements fleet.Elsewhere.
func (s *Successor) Claim(ctx context.Context, want fleet.Want) (fleet.Grant, error) {
	answer := make(chan message, 1)
	s.mu.Lock()
	s.last++
	id := s.last
	s.waiting[id] = answer
	s.line.send(message{Kind: kindWant, ID: id, Want: &want})
	s.mu.Unlock()
	select {
	case m := <-answer:
		return granted(m)
	case <-s.line.gone:
		s.forget(id)
		return fleet.Grant{}, fleet.ErrTakenBack
	case <-ctx.Done():
	}
	if s.forget(id) {
		s.line.send(message{Kind: kindCancel, ID: id})
	} else if g, err := granted(<-answer); err == nil {
		s.Returned(fleet.Return{Token: g.Token, Worker: g.Worker.ID, Kind: fleet.Unused})
	}
	return fleet.Grant{}, context.Cause(ctx)
}

// forget reports false when the answer is there already.
func (s *Successor) forget(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, waits := s.waiting[id]
	delete(s.waiting, id)
	return waits
}

func granted(m message) (fleet.Grant, error) {
	if m.Grant != nil {
		return fleet.Grant{Token: m.ID, Worker: m.Grant.Worker, Start: m.Grant.Start}, nil
	}
	if err, known := refusals()[m.Why]; known {
		return fleet.Grant{}, err
	}
	return fleet.Grant{}, fleet.ErrNoWorker
}

// Returned implements fleet.Elsewhere.
func (s *Successor) Returned(r fleet.Return) {
	s.line.send(message{Kind: kindReturn, Return: &returned{ID: r.Token, Worker: r.Worker, Kind: kindWord(r.Kind), Lacks: r.Lacks}})
}

// hear is called by the reader alone.
func (s *Successor) hear(m message) {
	switch m.Kind {
	case kindGrant, kindRefuse:
		s.answer(m)
	case kindFail:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.why == "" {
			s.why = m.Why
			close(s.failed)
		}
	default:
		if reached, ok := s.stages[Stage(m.Kind)]; ok && !closed(reached) {
			close(reached)
		}
	}
}

// answer hands on what a want came to. A slot that nobody wants any more goes back.
func (s *Successor) answer(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waits, ok := s.waiting[m.ID]; ok {
		delete(s.waiting, m.ID)
		waits <- m
	} else if m.Grant != nil {
		s.Returned(fleet.Return{Token: m.ID, Worker: m.Grant.Worker.ID, Kind: fleet.Unused})
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
