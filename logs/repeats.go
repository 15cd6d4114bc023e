package logs

import (
	"log/slog"
	"sync"
	"time"
)

// remindEvery is how often a trouble that goes on is said again.
const remindEvery = time.Minute

// Repeats says a trouble once, again each minute with how often it came since, and when it is over: an engine that is away would fill the
// log else. Its methods may be called concurrently.
type Repeats struct {
	log *slog.Logger
	now func() time.Duration

	mu   sync.Mutex
	open map[string]*trouble // by what it is about
}

// trouble is one that goes on.
type trouble struct {
	kind  string
	began time.Duration
	said  time.Duration
	times int // since it began
	quiet int // since it was said
}

// NewRepeats says them in log. now is any clock that only goes forward.
func NewRepeats(log *slog.Logger, now func() time.Duration) *Repeats {
	return &Repeats{log: log, now: now, open: map[string]*trouble{}}
}

// Add notes that something went wrong. about and kind tell troubles apart; texts do not, for they may name another worker each time.
func (r *Repeats) Add(about, kind, message string, err error, attrs ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	t := r.open[about]
	if t == nil || t.kind != kind {
		r.settle(about)
		t = &trouble{kind: kind, began: now, said: now}
		r.open[about] = t
	} else if t.quiet++; now-t.said < remindEvery {
		t.times++
		return
	}
	t.times++
	if t.times > 1 {
		attrs = append(attrs, slog.Int("again", t.quiet), slog.Int("times", t.times))
	}
	t.said, t.quiet = now, 0
	r.log.Warn(message, append(attrs, slog.Any("error", err))...)
}

// Over notes that it went well.
func (r *Repeats) Over(about string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle(about)
}

// settle says that a trouble is over, if it came more than once.
func (r *Repeats) settle(about string) {
	t := r.open[about]
	if t == nil {
		return
	}
	delete(r.open, about)
	if t.times > 1 {
		r.log.Info("that is over", slog.String("what", about), slog.Int("times", t.times),
			slog.Duration("lasted", r.now()-t.began))
	}
}
