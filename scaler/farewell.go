package scaler

import (
	"context"
	"time"
)

const (
	farewellTime = 15 * time.Second // for an engine that is away to answer again, at the end; then the workers are left
	farewellLook = 3 * time.Second  // for one answer
	farewellGap  = time.Second      // between two looks
)

// Forsaken is what the end could not remove, because the engine did not answer.
type Forsaken struct {
	Workers int   // at least; a start that was cut off may have made one more
	Err     error // what the engine did not answer with; nil: nothing was given up
}

// Forsaken is known once Run has ended.
func (s *Scaler) Forsaken() Forsaken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forsaken
}

// shutdown ends what was begun, then removes every worker of ours or leaves them for the next balancer of this instance.
func (s *Scaler) shutdown() {
	s.closing = true
	defer s.giveUp()
	silence := func() error { return nil }
	if s.Config.OnExit != onExitLeave && !s.left() {
		for _, o := range s.owned {
			s.retire(o.worker, "shutdown")
		}
		s.clearOrphans()
		silence = s.watchSilence()
	}
	for s.helpers > 0 {
		s.hear(<-s.reports)
	}
	if err := silence(); err != nil {
		s.forsake(err)
	}
}

// forsake notes what is left to whoever comes after us.
func (s *Scaler) forsake(err error) {
	s.countStuck()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forsaken = Forsaken{Workers: s.engine.Stuck, Err: err}
}

// watchSilence gives up removals once the engine has not answered for farewellTime, in which every one of them would be tried for minutes. over
// ends the watch, and returns what the engine did not answer with if they were given up.
func (s *Scaler) watchSilence() (over func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	silent := make(chan error, 1)
	since := s.lists.missed
	go func() { silent <- s.untilSilent(ctx, since) }()
	return func() error {
		cancel()
		return <-silent
	}
}

// untilSilent looks at the engine until ctx ends, or until it has been away for farewellTime; since is when it was missed first, 0 if it was not. What
// it says to a removal is an answer too: an engine that has much to remove may be slow to list.
func (s *Scaler) untilSilent(ctx context.Context, since time.Duration) error {
	for answered := s.answered.Load(); ; {
		began := s.Fleet.Clock()
		err := s.answers(ctx, farewellLook)
		now := s.answered.Load()
		switch {
		case ctx.Err() != nil:
			return nil
		case !isAway(err) || now != answered:
			since, answered = 0, now
		case since == 0:
			since = max(began, 1)
		}
		if since != 0 && s.Fleet.Clock()-since >= farewellTime {
			s.giveUp()
			return err
		}
		rest(ctx, farewellGap)
	}
}

// answers asks the engine for anything.
func (s *Scaler) answers(ctx context.Context, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	_, err := s.Driver.List(ctx)
	return err
}

// rest waits for d, or until ctx ends. It reports whether d is over.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
