package admin

import (
	"context"
	"time"

	"understudy/dashboard"
)

const (
	feedEvery = time.Second
	backlog   = 8 // ticks a stream may be behind before it is dropped
)

// Feed samples the balancer once a second, remembers a quarter of an hour, and tells every open stream what has changed. What it tells is
// written once, however many listen; while nobody does, it only samples.
type Feed struct {
	view
	joins  chan chan *listener
	leaves chan *listener
	ended  chan struct{}

	// Only Run's goroutine uses these.
	history   *dashboard.History
	listeners map[*listener]bool
	shown     Status // what every listener has been told; stale while there are none
	told      uint64 // number of the last decision they know
	opening   []byte // what a stream begins with now; nil: to be written
}

// listener is one open stream. frames is closed when it has fallen behind, or the feed ends.
type listener struct {
	frames  chan []byte
	opening []byte
	told    uint64 // number of the last decision in opening
}

// NewFeed makes a feed of what the options show; Run makes it work.
func NewFeed(o Options) *Feed {
	return &Feed{
		view: newView(o), joins: make(chan chan *listener), leaves: make(chan *listener), ended: make(chan struct{}),
		history: dashboard.NewHistory(), listeners: map[*listener]bool{},
	}
}

// Run samples until ctx ends; then every stream ends. It may be called once.
func (f *Feed) Run(ctx context.Context) {
	defer close(f.ended)
	ticker := time.NewTicker(feedEvery)
	defer ticker.Stop()
	f.history.Add(f.Now(), f.Fleet.Status())
	for {
		select {
		case <-ctx.Done():
			for l := range f.listeners {
				close(l.frames)
			}
			return
		case <-ticker.C:
			f.tick()
		case reply := <-f.joins:
			reply <- f.admit()
		case l := <-f.leaves:
			delete(f.listeners, l)
		}
	}
}

// listen joins the feed. It reports false when ctx or the feed ends first.
func (f *Feed) listen(ctx context.Context) (*listener, bool) {
	reply := make(chan *listener, 1)
	select {
	case f.joins <- reply:
		return <-reply, true
	case <-f.ended:
	case <-ctx.Done():
	}
	return nil, false
}

// leave may be called whether the feed has dropped the listener or not.
func (f *Feed) leave(l *listener) {
	select {
	case f.leaves <- l:
	case <-f.ended:
	}
}

// admit gives a new stream what it begins with. The first one finds what is shown out of date.
func (f *Feed) admit() *listener {
	if len(f.listeners) == 0 {
		f.shown, f.told, f.opening = f.status(), f.Journal.Total(), nil
	}
	if f.opening == nil {
		f.opening = f.begin()
	}
	l := &listener{frames: make(chan []byte, backlog), opening: f.opening, told: f.told}
	f.listeners[l] = true
	return l
}

// tick samples, and tells what is new.
func (f *Feed) tick() {
	now, pools := f.Now(), f.Fleet.Status()
	f.history.Add(now, pools)
	if len(f.listeners) == 0 {
		return
	}
	next := f.statusOf(pools)
	frame := f.changes(now, next)
	f.shown, f.opening = next, nil
	for _, d := range f.since(f.told) {
		frame = appendEvent(frame, "decision", f.eventID(d.Number), d)
		f.told = d.Number
	}
	for l := range f.listeners {
		select {
		case l.frames <- frame:
		default: // it does not read
			close(l.frames)
			delete(f.listeners, l)
		}
	}
}
