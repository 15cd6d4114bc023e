package balancer

import (
	"net/http"
	"sync/atomic"
)

// budget bounds retries after failures to 20 % of the requests there were, so that workers that fail do not get more to do than workers that
// work. It is counted in fifths of a retry: a request brings one, a retry takes five.
type budget struct {
	fifths atomic.Int64
}

const (
	retryCost  = 5
	firstFunds = 3 * retryCost   // so that the first requests of all can be retried too
	mostFunds  = 100 * retryCost // what a calm time can save up for the moment a worker with many requests dies
)

func (b *budget) fill() { b.fifths.Store(firstFunds) }

// earn is called for each request.
func (b *budget) earn() {
	if b.fifths.Load() < mostFunds { // a few too many under contention do no harm
		b.fifths.Add(1)
	}
}

// spend reports whether a retry can be afforded, and pays for it.
func (b *budget) spend() bool {
	for {
		have := b.fifths.Load()
		if have < retryCost {
			return false
		}
		if b.fifths.CompareAndSwap(have, have-retryCost) {
			return true
		}
	}
}

// retryReason applies the retry rule to an attempt that failed at the worker: at most one more, on another worker, when nothing was written,
// or for a request that may be repeated and got no byte of an answer; only with a body that is still whole; only within the budget. It
// yields the empty string when the rule forbids it.
func (x *exchange) retryReason(w *wire, answered bool) string {
	switch {
	case x.retried || !x.body.replayable():
		return ""
	case w.written() && (answered || !x.repeatable()):
		return ""
	case !x.b.budget.spend():
		return ""
	case w.tried:
		return retryReset
	}
	return retryConnect
}

// repeatable tells whether doing the request twice is the same as doing it once: by its method, or because its sender says that the worker
// can tell.
func (x *exchange) repeatable() bool {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return x.said.idempotent
}
