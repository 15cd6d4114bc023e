package handover

import (
	"context"
	"errors"
	"sync"

	"understudy/fleet"
)

// lender books in one fleet what another has in flight, and claims for it. take, want, cancel and returned are called by one goroutine, in the
// order of the messages.
type lender struct {
	fleet *fleet.Fleet
	line  *line
	broke func(*fleet.Worker)
	ctx   context.Context // of the claims; ends with the predecessor
	stop  context.CancelFunc
	wants sync.WaitGroup

	mu     sync.Mutex
	before map[string][]fleet.Lease // taken before the workers changed hands, by worker
	lent   map[uint64]fleet.Lease
	asking map[uint64]context.CancelFunc
}

func newLender(f *fleet.Fleet, l *line, broke func(*fleet.Worker)) *lender {
	ctx, stop := context.WithCancel(context.Background())
	return &lender{
		fleet: f, line: l, broke: broke, ctx: ctx, stop: stop,
		before: map[string][]fleet.Lease{}, lent: map[uint64]fleet.Lease{}, asking: map[uint64]context.CancelFunc{},
	}
}

// take books what is in flight, and what became of the workers since the predecessor listed them.
func (l *lender) take(workers []Worker, order uint64) {
	l.fleet.Follow(order)
	for _, w := range workers {
		if !l.meet(w) {
			continue
		}
		for range w.Busy { // before it drains: one that has nothing to do is idle at once
			if lease, ok := l.fleet.Occupy(w.ID); ok {
				l.before[w.ID] = append(l.before[w.ID], lease)
			}
		}
		l.follow(w)
	}
}

// meet makes sure that a worker is here, and the same as there. Those that registered, and members, are not the driver's: they come this way only.
func (l *lender) meet(w Worker) bool {
	known, _, ok := l.fleet.Worker(w.ID)
	if ok {
		return known.Generation == w.Generation // else its id is used again
	}
	if w.Origin.Ours() || stateOf(w.State) == fleet.Starting {
		return false // the driver has it, and it was not adopted; or nobody knows yet whether it answers
	}
	if _, err := l.fleet.Add(w.warm()); err != nil {
		return false // this configuration has no place for it
	}
	return l.fleet.Ready(w.ID, w.Address, 0)
}

// follow makes a worker here what it is there.
func (l *lender) follow(w Worker) {
	switch stateOf(w.State) {
	case fleet.Draining:
		_, _ = l.fleet.Drain(w.ID, w.Reason) // fails when it is not here
	case fleet.Failed:
		l.fleet.Fail(w.ID, w.Reason)
	}
}

// want claims for a request of the predecessor, and answers when it has a slot or gets none.
func (l *lender) want(id uint64, want fleet.Want) {
	ctx, cancel := context.WithCancel(l.ctx)
	l.mu.Lock()
	l.asking[id] = cancel
	l.mu.Unlock()
	req := fleet.Request{Capability: want.Capability, Place: &want.Place}
	if want.Not != "" {
		req.Not, _, _ = l.fleet.Worker(want.Not)
	}
	l.wants.Go(func() {
		defer cancel()
		lease, err := l.fleet.Acquire(ctx, req)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.asking, id)
		if err != nil {
			l.line.send(message{Kind: kindRefuse, ID: id, Why: refusal(err)})
			return
		}
		l.lent[id] = lease
		l.line.send(message{Kind: kindGrant, ID: id, Grant: &grant{Worker: lease.Worker.Info, Start: lease.Start}})
	})
}

func refusal(err error) string {
	for word, known := range refusals() {
		if errors.Is(err, known) {
			return word
		}
	}
	return "" // it was cancelled: nobody listens for the answer
}

func (l *lender) cancel(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cancel, ok := l.asking[id]; ok {
		cancel()
	}
}

func (l *lender) returned(r returned) {
	lease, ok := l.find(r)
	if !ok {
		return
	}
	kind := kindOf(r.Kind)
	if r.ID == 0 && (kind == fleet.Served || kind == fleet.Tunnel) {
		kind = fleet.Unused // when it began is not known here
	}
	if r.Lacks {
		lease.Lacks()
	}
	lease.Release(fleet.Outcome{Kind: kind})
	if kind == fleet.Broke && l.broke != nil {
		l.broke(lease.Worker)
	}
}

// find takes a lease out of the books.
func (l *lender) find(r returned) (lease fleet.Lease, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.ID != 0 {
		lease, ok = l.lent[r.ID]
		delete(l.lent, r.ID)
		return lease, ok
	}
	list := l.before[r.Worker]
	if len(list) == 0 {
		return lease, false
	}
	l.before[r.Worker] = list[1:]
	return list[0], true
}

// end frees everything that is held. Nothing is asked for any more.
func (l *lender) end() {
	l.stop()
	l.wants.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.before {
		for _, lease := range list {
			lease.Release(fleet.Outcome{Kind: fleet.Unused})
		}
	}
	for _, lease := range l.lent {
		lease.Release(fleet.Outcome{Kind: fleet.Unused})
	}
}

// warm is a worker that has served already, so that it is not to begin small.
func (w Worker) warm() fleet.Info {
	info := w.Info
	info.Warm = true
	return info
}
