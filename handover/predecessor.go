package handover

import (
	"context"
	"fmt"
	"net"
	"sync"

	"understudy/fleet"
)

// AbortedError is why a predecessor keeps its workers.
type AbortedError struct{ Why string }

func (e AbortedError) Error() string {
	return "the process that runs goes on, this one ends: " + e.Why
}

// Predecessor is what a successor sees of the process whose place it takes. All methods may be called concurrently.
type Predecessor struct {
	line    *line
	hello   chan Hello    // capacity 1
	estate  chan Estate   // capacity 1
	taken   chan struct{} // closed when what was held is booked
	aborted chan struct{} // closed when why is there
	over    chan struct{} // closed when it is gone and nothing is held for it any more

	mu     sync.Mutex
	why    string
	lender *lender // nil: nothing to lend yet
}

// NewPredecessor listens.
func NewPredecessor(conn net.Conn) *Predecessor {
	p := &Predecessor{
		line: newLine(conn), hello: make(chan Hello, 1), estate: make(chan Estate, 1),
		taken: make(chan struct{}), aborted: make(chan struct{}), over: make(chan struct{}),
	}
	p.line.run(p.hear)
	go p.outlive()
	return p
}

// outlive frees what was held for the predecessor when it is gone.
func (p *Predecessor) outlive() {
	defer close(p.over)
	<-p.line.gone
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lender != nil {
		p.lender.end()
	}
}

// Tell says how far this process has come.
func (p *Predecessor) Tell(stage Stage) { p.line.send(message{Kind: string(stage)}) }

// Fail says that this process will not take over.
func (p *Predecessor) Fail(why error) { p.line.send(message{Kind: kindFail, Why: why.Error()}) }

// Hello waits for who the predecessor is. It returns an AbortedError, ErrGone, ctx's cause, or that it speaks another version.
func (p *Predecessor) Hello(ctx context.Context) (Hello, error) {
	h, err := receive(ctx, p, p.hello)
	if err == nil && h.Version != Version {
		err = fmt.Errorf("the process that runs hands over in another way (version %d, this program has %d): end it and start this one", h.Version, Version)
	}
	return h, err
}

// Estate waits for what the predecessor leaves. Its errors are AbortedError, ErrGone, and ctx's cause.
func (p *Predecessor) Estate(ctx context.Context) (Estate, error) { return receive(ctx, p, p.estate) }

// Taken waits until what is in flight at the predecessor is booked in the fleet given to Lend. Errors as Estate.
func (p *Predecessor) Taken(ctx context.Context) error {
	_, err := receive(ctx, p, p.taken)
	return err
}

func receive[T any](ctx context.Context, p *Predecessor, from <-chan T) (T, error) {
	var none T
	select {
	case v := <-from:
		return v, nil
	case <-p.aborted:
	case <-p.line.gone:
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	select { // both ends of a select may be ready, and what was said counts more than that it went
	case v := <-from:
		return v, nil
	case <-p.aborted:
		p.mu.Lock()
		defer p.mu.Unlock()
		return none, AbortedError{p.why}
	default:
		return none, ErrGone
	}
}

// Lend makes this fleet the one that books what the predecessor has in flight, and that its requests ask. broke, if not nil, is told of
// workers that failed one of them. Call it before Tell(Adopted).
func (p *Predecessor) Lend(f *fleet.Fleet, broke func(*fleet.Worker)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lender = newLender(f, p.line, broke)
	if closed(p.line.gone) {
		p.lender.end()
	}
}

// Over is closed when the predecessor is gone and nothing is held for it any more.
func (p *Predecessor) Over() <-chan struct{} { return p.over }

// Close ends the line.
func (p *Predecessor) Close() {
	p.line.close()
	<-p.over
}

// hear is called by the reader alone.
func (p *Predecessor) hear(m message) {
	switch {
	case m.Kind == kindHello && m.Hello != nil:
		offer(p.hello, *m.Hello)
	case m.Kind == kindEstate && m.Estate != nil:
		offer(p.estate, *m.Estate)
	case m.Kind == kindAbort:
		p.mu.Lock()
		defer p.mu.Unlock()
		if !closed(p.aborted) {
			p.why = m.Why
			close(p.aborted)
		}
	default:
		p.lend(m)
	}
}

// offer keeps the first value and drops what nobody asked for.
func offer[T any](to chan<- T, v T) {
	select {
	case to <- v:
	default:
	}
}

func (p *Predecessor) lend(m message) {
	p.mu.Lock()
	l := p.lender
	p.mu.Unlock()
	switch {
	case l == nil:
	case m.Kind == kindHeld && m.Estate != nil && !closed(p.taken):
		l.take(m.Estate.Workers, m.Order)
		close(p.taken)
	case m.Kind == kindWant && m.Want != nil:
		l.want(m.ID, *m.Want)
	case m.Kind == kindCancel:
		l.cancel(m.ID)
	case m.Kind == kindReturn && m.Return != nil:
		l.returned(*m.Return)
	}
}
