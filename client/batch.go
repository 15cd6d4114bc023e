package client

import (
	"runtime"
	"sync"
)

// batches is where callers leave their results, so that they need not wait for each other to have them recorded: the recorder takes many
// at a time. Safe for concurrent use.
type batches struct {
	recorder *recorder
	list     []batch
}

// batch belongs to a few callers.
type batch struct {
	mu      sync.Mutex
	results []Result // guarded by mu
	_       [64]byte // keeps the next batch out of this one's cache line
}

const (
	batchSize = 64
	batchMost = 8 * batchSize // where the recorder is busy a batch may grow to so many
)

func newBatches(r *recorder) *batches {
	b := &batches{recorder: r, list: make([]batch, 2*runtime.GOMAXPROCS(0))}
	for i := range b.list {
		b.list[i].results = make([]Result, 0, batchSize)
	}
	return b
}

// record adds the result of the caller of that number.
func (b *batches) record(caller int, x *Result) {
	mine := &b.list[caller%len(b.list)]
	mine.mu.Lock()
	defer mine.mu.Unlock()
	mine.results = append(mine.results, *x)
	n := len(mine.results)
	if n < batchSize {
		return
	}
	if !b.recorder.mu.TryLock() {
		if n < batchMost {
			return
		}
		b.recorder.mu.Lock()
	}
	mine.hand(b.recorder)
	b.recorder.mu.Unlock()
}

// flush hands everything to the recorder.
func (b *batches) flush() {
	for i := range b.list {
		mine := &b.list[i]
		mine.mu.Lock()
		b.recorder.mu.Lock()
		mine.hand(b.recorder)
		b.recorder.mu.Unlock()
		mine.mu.Unlock()
	}
}

// hand is called with both locks held.
func (b *batch) hand(r *recorder) {
	for i := range b.results {
		r.recordLocked(&b.results[i])
	}
	clear(b.results) // lets go of what they refer to
	b.results = b.results[:0]
}
