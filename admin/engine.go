package admin

import (
	"fmt"
	"time"

	"understudy/scaler"
)

// Engine is whether what runs the workers answers when it is asked for them.
type Engine struct {
	State  string    `json:"state"` // up, away
	Since  time.Time `json:"since"` // when that began
	SinceS float64   `json:"since_s"`
	Error  string    `json:"error"` // what it did not answer with; empty when it is up
	Stuck  int       `json:"stuck"` // workers it has not removed though it was told to; they are tried again
}

func engineOf(e scaler.EngineStatus, now time.Time) Engine {
	out := Engine{State: "up", Since: e.Since, SinceS: seconds(max(now.Sub(e.Since), 0)), Error: e.Error, Stuck: e.Stuck}
	if e.Away {
		out.State = "away"
	}
	return out
}

// lasting leaves out what changes by itself.
func (e Engine) lasting() Engine {
	e.SinceS = 0
	return e
}

// words say what a person should know of it; empty when there is nothing to know.
func (e Engine) words() string {
	switch {
	case e.State == "away":
		return fmt.Sprintf("away for %s: what runs serves on, and nothing is started or removed until it answers: %s", showAge(e.SinceS), plain(e.Error))
	case e.Stuck > 0:
		return fmt.Sprintf("does not remove %d workers; they are tried again", e.Stuck)
	default:
		return ""
	}
}
