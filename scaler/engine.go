package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"understudy/driver"
)

const (
	listEvery = 10 * time.Second
	firstList = 2 * time.Second        // for what a balancer that died had asked for and was made after Adopt had looked
	listGap   = 250 * time.Millisecond // between the beginnings of two lists
	hintPause = 200 * time.Millisecond // hints come in bursts: one list answers them all
	awayBase  = time.Second            // between two lists that the engine does not answer; at first, ...
	awayMax   = 10 * time.Second       // ... and at most
	awayAgain = time.Minute            // how often it is said again
	// returnTime is how long decisions wait after the engine has come back for what was out of reach to be probed again: most of it lives.
	returnTime = 5 * time.Second

	listing = "listing the workers" // what the troubles of lists are about
)

// EngineStatus is whether what runs the workers is there, as the last list found it.
type EngineStatus struct {
	Away  bool
	Since time.Time // that it is there, or away
	Error string    // what it did not answer with; empty when it is there
	Stuck int       // workers whose removal failed, to be tried again
}

// Engine tells whether what runs the workers is there.
func (s *Scaler) Engine() EngineStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine
}

// lists is when the loop lists, and what rests on it.
type lists struct {
	timer   *time.Timer
	due     time.Duration // when timer fires
	began   time.Duration // the last one
	running bool
	again   bool // something was hinted at while it ran
	retry   driver.Backoff

	doubt    uint64        // nothing is decided until this question about the engine is answered
	unjudged []unjudged    // starts that failed because no engine answered, or so it seemed
	missed   time.Duration // when the engine was missed first; 0: it is there
	said     time.Duration // when that was said last
	returned time.Duration // when it came back last
}

// unjudged is a start that got no answer: whose fault that is, a list tells.
type unjudged struct {
	o   *owned
	err error
}

// round is one list, and what was known when it began.
type round struct {
	began    time.Duration
	question uint64
	there    []*owned           // workers it must show
	known    map[driver.ID]bool // all that it may show of what had an owner, or was being removed
	limbo    []limbo
	unjudged int // of lists.unjudged: these it judges
}

// decides tells whether the loop may start and remove workers now. It may not while it is held, while the engine is away or in doubt, nor just
// after it came back, before what was out of reach has been probed.
func (s *Scaler) decides() bool {
	if s.hold != nil || !s.Fleet.Engine().Vouched(s.lists.doubt) {
		return false
	}
	back := s.lists.returned
	return back == 0 || s.Fleet.Clock()-back >= returnTime || s.Fleet.Lost() == 0
}

// listWithin asks for a list within d; one at a time, and never one right after another.
func (s *Scaler) listWithin(d time.Duration) {
	l := &s.lists
	if l.running {
		l.again = true
		return
	}
	gap := listGap
	if l.missed != 0 {
		gap = awayBase
	}
	now := s.Fleet.Clock()
	if at := max(now+d, l.began+gap); at < l.due {
		s.listAt(at)
	}
}

func (s *Scaler) listAt(at time.Duration) {
	s.lists.due = at
	s.lists.timer.Reset(max(at-s.Fleet.Clock(), 0))
}

// list asks the driver what there is, in a helper. What it says is held against what was known when it was asked.
func (s *Scaler) list(ctx context.Context) {
	l := &s.lists
	l.due = 1<<63 - 1
	if l.running || s.hold != nil {
		return // the end of either asks again
	}
	l.running, l.began = true, s.Fleet.Clock()
	r := s.newRound()
	s.launch(func() func() {
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		found, err := s.Driver.List(ctx)
		return func() { s.listed(r, found, err) }
	})
}

// listed applies a list. One that came too late for this loop, or failed, changes nothing about any worker.
func (s *Scaler) listed(r round, found []driver.Instance, err error) {
	l := &s.lists
	l.running = false
	if s.closing || s.hold != nil || s.left() {
		return
	}
	if err != nil {
		s.Recorder.DriverError(s.Driver.Name(), "list")
	}
	next := listEvery
	switch {
	case isAway(err):
		s.missed(r, err)
		next = l.retry.Next()
	case err != nil: // it is there, and cannot tell
		s.repeats.Add(listing, resultOf(err), "the workers cannot be listed", err)
		s.present(r, -1)
		next = l.retry.Next()
	default:
		s.repeats.Over(listing)
		l.retry.Reset()
		s.present(r, len(found))
		s.reconcile(r, found)
		s.Recorder.Reconciled(s.Fleet.Clock() - r.began)
	}
	s.listAt(s.Fleet.Clock() + next)
	if l.again || s.Fleet.Engine().Asked() > r.question {
		l.again = false
		s.listWithin(hintPause)
	}
}

// isAway: no answer within the time for one is no engine either.
func isAway(err error) bool {
	return errors.Is(err, driver.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// missed notes that the engine is away. Starts that failed for it are nobody's fault.
func (s *Scaler) missed(r round, err error) {
	l := &s.lists
	s.Fleet.Engine().Answer(r.question, false)
	l.unjudged = l.unjudged[r.unjudged:]
	now := s.Fleet.Clock()
	first := l.missed == 0
	if first {
		l.missed = max(r.began, 1)
		s.acquit()
		s.note("no decisions while the engine is away: " + err.Error())
	}
	if first || now-l.said >= awayAgain {
		l.said = now
		s.Log.Warn("the engine is away: what runs serves on, and nothing is started or removed", slog.Duration("for", now-l.missed), slog.Any("error", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.engine.Away {
		s.engine.Away, s.engine.Since = true, s.Now().Add(l.missed-now)
	}
	s.engine.Error = err.Error()
}

// present notes that the engine is there; found is how many workers it listed, below 0 if it did not.
func (s *Scaler) present(r round, found int) {
	l := &s.lists
	s.judgeStarts(r)
	if l.missed != 0 {
		now := s.Fleet.Clock()
		lasted, lost := now-l.missed, s.Fleet.Lost()
		l.missed, l.returned = 0, now
		s.note(fmt.Sprintf("the engine is back after %s", lasted.Round(time.Millisecond)))
		s.Log.Info("the engine is back", slog.Duration("after", lasted), slog.Int("workers", found), slog.Int("out_of_reach", lost))
		s.mu.Lock()
		s.engine.Away, s.engine.Since, s.engine.Error = false, s.Now(), ""
		s.mu.Unlock()
	}
	s.Fleet.Engine().Answer(r.question, true)
}

// judgeStarts books the starts that got no answer from an engine that is there: as one failure of their pool, since they had one cause.
func (s *Scaler) judgeStarts(r round) {
	judged := map[*poolState]bool{}
	for _, u := range s.lists.unjudged[:r.unjudged] {
		if !judged[u.o.pool] {
			judged[u.o.pool] = true
			u.o.pool.fails++
			s.blame(u.o, u.err, remains{})
		}
	}
	s.lists.unjudged = s.lists.unjudged[r.unjudged:]
}

// note writes into the journal of every pool that is scaled.
func (s *Scaler) note(text string) {
	for _, p := range s.pools {
		if p.cfg.Scaled() {
			s.noteOf(p, text)
		}
	}
}

// unanswered books a start that failed because no engine answered. A list will tell whether that is the engine's fault; what became of the
// start it tells as well, and until then the port stays booked.
func (s *Scaler) unanswered(o *owned, err error) {
	l := &s.lists
	l.doubt = s.Fleet.Engine().Ask()
	l.unjudged = append(l.unjudged, unjudged{o, err})
	s.Fleet.Fail(o.worker.ID, err.Error())
	if o.id != "" {
		return // it is there, and is collected when the engine is
	}
	s.limbo = append(s.limbo, limbo{o.worker.ID, o.worker.Generation, o.port})
	o.port = 0
	s.retire(o.worker, "failed_start")
}
