package admin

import (
	"fmt"
	"time"
)

// Rollout is how far the replacement of a pool's workers has got, whose configuration or image has changed.
type Rollout struct {
	State    string    `json:"state"` // rolling, done, rolled_back
	Done     int       `json:"done"`  // workers replaced, of those that were to be
	Of       int       `json:"of"`
	Outdated int       `json:"outdated"` // workers now that are made unlike those that are started
	Error    string    `json:"error"`    // what stands in the way, or why it was taken back; empty: nothing
	Since    time.Time `json:"since"`    // when the state began
}

func (p *view) rollout(pool string) *Rollout {
	r, ok := p.Rollouts(pool)
	if !ok {
		return nil
	}
	return &Rollout{State: r.State, Done: r.Done, Of: r.Of, Outdated: r.Outdated, Error: plain(r.Error), Since: r.Since.UTC()}
}

// rollout writes how far a change is, while it is worth knowing: one that is done is not.
func (s *screen) rollout(r *Rollout) {
	if r == nil {
		return
	}
	switch r.State {
	case "rolling":
		text, color := fmt.Sprintf("%d of %d workers replaced since %s", r.Done, r.Of, showClock(r.Since)), paint("")
		if r.Error != "" {
			text, color = text+", held up: "+plain(r.Error), yellow
		}
		s.labelled(color, "change", text)
	case "rolled_back":
		s.labelled(yellow, "change", fmt.Sprintf("rolled back at %s, the workers are as before: %s", showClock(r.Since), plain(r.Error)))
	}
}
