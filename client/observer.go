package client

import (
	"time"
)

// Observer is told how a run goes on. Run calls it from one goroutine and waits for it before it returns; an observer that is slow
// delays what it is told, never the load. A nil Observer is fine.
type Observer interface {
	// Progress is called about once a second, and a last time, with Final set, when the run has ended.
	Progress(Progress)
}

// ResultObserver is an Observer that also wants to see every single result, in the order they came. Where it is slower than the
// load, the load waits for it; leave it out when measuring.
type ResultObserver interface {
	Observer
	Result(Result)
}

// Progress is how far a run is. Done counts what has an outcome, errors included. Rate, P50, P95 and Workers are of the last three
// ticks.
type Progress struct {
	Elapsed time.Duration
	Lasts   time.Duration // how long the run takes in all; 0 when only N ends it
	N       int           // how many requests it makes in all; 0 when only time ends it

	Sent, Done, InFlight, Errors int

	Rate     float64 // answers a second
	P50, P95 time.Duration
	Workers  int // that answered
	Final    bool
}

// Share is how much of the run is over, from 0 to 1.
func (p Progress) Share() float64 {
	var share float64
	if p.N > 0 {
		share = float64(p.Done) / float64(p.N)
	}
	if p.Lasts > 0 {
		share = max(share, p.Elapsed.Seconds()/p.Lasts.Seconds())
	}
	return min(share, 1)
}

// Left is how long the run will go on, judged by how far it got; 0 when nothing can be said.
func (p Progress) Left() time.Duration {
	if share := p.Share(); share > 0 {
		return time.Duration(float64(p.Elapsed) * (1 - share) / share)
	}
	return 0
}

const tick = time.Second

// watcher is the goroutine that talks to the observer.
type watcher struct {
	observer Observer
	snapshot func() Progress
	results  chan Result // nil when nobody wants single results
	quit     chan struct{}
	ended    chan struct{}
}

// watch starts telling o. Results, when wanted, go into results; stop ends it after all of them were told.
func watch(o Observer, snapshot func() Progress) *watcher {
	w := &watcher{observer: o, snapshot: snapshot, quit: make(chan struct{}), ended: make(chan struct{})}
	if _, ok := o.(ResultObserver); ok {
		w.results = make(chan Result, 1024)
	}
	if o == nil {
		close(w.ended)
		return w
	}
	go w.run()
	return w
}

func (w *watcher) run() {
	defer close(w.ended)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.observer.Progress(w.snapshot())
		case r := <-w.results:
			w.observer.(ResultObserver).Result(r)
		case <-w.quit:
			w.finish()
			return
		}
	}
}

func (w *watcher) finish() {
	for len(w.results) > 0 {
		w.observer.(ResultObserver).Result(<-w.results)
	}
	p := w.snapshot()
	p.Final = true
	w.observer.Progress(p)
}

// result hands one result on, where wanted.
func (w *watcher) result(r *Result) {
	if w.results != nil {
		w.results <- *r
	}
}

// stop tells the rest and the end, and returns when the observer has been told. Nobody may call result any more.
func (w *watcher) stop() {
	close(w.quit)
	<-w.ended
}
