package scaler

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"understudy/driver"
)

// Rollout is how far the replacement of a pool's workers has got.
type Rollout struct {
	State    string    // rolling, done, rolled_back
	Done, Of int       // workers replaced, of those that were to be
	Outdated int       // workers now that are made unlike those started now
	Error    string    // what stands in the way, or why it was taken back; empty: nothing
	Since    time.Time // when the state began
}

// What becomes of a change.
const (
	stateRolling    = "rolling"
	stateDone       = "done"
	stateRolledBack = "rolled_back"
	superseded      = "superseded" // for metrics alone: a newer one came
)

const imageGone = "the image it was rolled back to is gone, it is looked for by its name again"

// Rollout tells about the last change of what the pool's workers are made from. It reports false when there was none. It may be called concurrently.
func (s *Scaler) Rollout(pool string) (Rollout, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rollouts[pool]
	return r, ok
}

func (s *Scaler) setRollout(p *poolState, change func(*Rollout)) Rollout {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rollouts[p.cfg.Name]
	change(&r)
	if r.State == "" {
		delete(s.rollouts, p.cfg.Name)
	} else {
		s.rollouts[p.cfg.Name] = r
	}
	return r
}

// change makes starts be made from another recipe. What was made so already stays.
func (s *Scaler) change(p *poolState, next recipe) {
	was := p.made
	if was.image == "" && was.hash == next.hash {
		was.image = next.image // it was not known yet
	}
	if next.hash == was.hash && next.image == was.image {
		p.made = next
		s.setImage(p.cfg.Name, next)
		p.cfg = p.cfg.MadeAs(next.cfg)
		s.setRollout(p, func(r *Rollout) {
			switch { // what the file asks for is what there is, or will be
			case r.State == stateRolledBack:
				*r = Rollout{}
			case p.denied != "" && r.Error == p.denied:
				r.Error = ""
			}
		})
		p.denied = ""
		return
	}
	if p.rolling {
		s.Recorder.Rollout(p.cfg.Name, superseded)
	}
	s.enforce(p, next)
	n := s.survey(p)
	p.worked = n.current
	s.begin(p, n)
}

// enforce puts a recipe in force, with a clean slate.
func (s *Scaler) enforce(p *poolState, next recipe) {
	p.made = next
	s.setImage(p.cfg.Name, next)
	p.cfg = p.cfg.MadeAs(next.cfg)
	p.serial++
	p.denied = ""
	p.fails, p.crashes, p.misses, p.missedAt, p.retryAt = 0, 0, 0, 0, 0
	s.Fleet.SetUnavailable(p.cfg.Name, "")
	s.setQueueWait(p)
}

func (s *Scaler) begin(p *poolState, n survey) {
	p.rolling = true
	s.setRollout(p, func(r *Rollout) { *r = Rollout{State: stateRolling, Of: n.old, Outdated: n.old, Since: s.Now()} })
	s.noteOf(p, fmt.Sprintf("its workers are replaced: %d are not made as they shall be now", n.old))
	s.Log.Info("rolling change", slog.String("pool", p.cfg.Name), slog.Int("workers", n.old), slog.String("spec", p.made.hash),
		slog.String("image", p.made.image))
}

// progress says how far it is, notices workers that are outdated without a reload (adopted ones), and when it is over.
func (s *Scaler) progress(p *poolState, n survey) {
	if n.old > 0 && !p.rolling && p.wanted == nil && s.rolloutState(p) != stateRolledBack {
		s.begin(p, n)
	}
	r := s.setRollout(p, func(r *Rollout) {
		if r.State == "" {
			return
		}
		r.Outdated = n.old
		if r.State == stateRolling {
			r.Of = max(r.Of, n.old)
			r.Done = max(r.Of-n.old-n.leaving, 0)
		}
	})
	if !p.rolling || n.old+n.leaving+n.unproven > 0 || !p.worked || p.wanted != nil {
		return
	}
	if n.current && p.canGoBack() { // none of the new ones has lasted long enough to be sure
		return
	}
	p.rolling = false
	took := s.Now().Sub(r.Since)
	s.setRollout(p, func(r *Rollout) {
		r.State, r.Error, r.Since = stateDone, "", s.Now()
		if p.denied != "" { // it is not what the file asks for
			r.State, r.Error = stateRolledBack, p.denied
		}
	})
	s.Recorder.Rollout(p.cfg.Name, stateDone)
	s.noteOf(p, fmt.Sprintf("its workers have been replaced: %d of %d", r.Done, r.Of))
	s.Log.Info("rolling change done", slog.String("pool", p.cfg.Name), slog.Int("workers", r.Of), slog.Duration("took", took))
}

func (s *Scaler) rolloutState(p *poolState) string {
	r, _ := s.Rollout(p.cfg.Name)
	return r.State
}

// noteOf puts a sentence about a pool into the journal, beside the decision in force and what that rested on.
func (s *Scaler) noteOf(p *poolState, what string) {
	s.Journal.Add(Entry{At: s.Now(), Pool: p.cfg.Name, From: p.last.Active, To: p.last.Active, Decision: p.last, Input: p.in, Note: what})
}

// canGoBack tells whether there is something that works other than what is started now.
func (p *poolState) canGoBack() bool {
	return p.good != nil && !(p.good.hash == p.made.hash && p.good.image == p.made.image)
}

// strike books a worker of the newest kind that did not start or did not last. It reports whether the change was taken back.
func (s *Scaler) strike(p *poolState, err error) bool {
	if errors.Is(err, driver.ErrUnavailable) {
		return false
	}
	p.misses++
	p.worked = false
	p.missedAt = s.Fleet.Clock()
	p.retryAt = p.missedAt + min(retryBase<<min(p.misses-1, 10), retryMost)
	missing := errors.Is(err, driver.ErrImageMissing)
	if p.canGoBack() && (p.misses >= failsUntil || missing) {
		s.rollBack(p, err)
		return true
	}
	if p.made.pinned && missing {
		s.unpin(p)
	}
	s.setRollout(p, func(r *Rollout) {
		if r.State == stateRolling {
			r.Error = err.Error()
		}
	})
	return false
}

// rollBack goes on with what worked last.
func (s *Scaler) rollBack(p *poolState, err error) {
	back := *p.good
	back.pinned = true
	s.enforce(p, back)
	p.worked, p.rolling = true, false
	s.refuse(p, err)
}

// unpin goes by the name of the image again: the content that the pool was rolled back to is gone from the engine, and an id can be had from nowhere.
func (s *Scaler) unpin(p *poolState) {
	named := recipeOf(p.made.cfg, "")
	s.enforce(p, named)
	p.good = nil
	s.noteOf(p, imageGone)
	s.Log.Warn(imageGone, slog.String("pool", p.cfg.Name), slog.String("image", named.cfg.Image))
}

// refuse says that a change is not made, or not any more.
func (s *Scaler) refuse(p *poolState, err error) {
	n := s.survey(p)
	s.setRollout(p, func(r *Rollout) {
		if p.rolling { // an earlier change goes on
			r.Error, p.denied = err.Error(), err.Error()
			return
		}
		*r = Rollout{State: stateRolledBack, Done: r.Done, Of: r.Of, Outdated: n.old, Error: err.Error(), Since: s.Now()}
	})
	s.Recorder.Rollout(p.cfg.Name, stateRolledBack)
	s.noteOf(p, "rolled back, it goes on with workers as before: "+err.Error())
	s.Log.Warn("the change is rolled back, the pool goes on with workers as before", slog.String("pool", p.cfg.Name), slog.Any("error", err))
}
