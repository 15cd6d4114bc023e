package reference

import (
	"time"

	"understudy/scaler/policy"
)

// Erlang sizes the pool by Erlang C at the measured load (3b of the findings): the policy that the shipped one is judged against first.
//
// How it decides, in the order it does:
//
//  1. model: offered load by Little's law, and the least number of workers at which, by Erlang C, no more than a fifth of the error
//     budget is lost to waiting. A short window that is significantly above the slow one replaces the load (surge).
//  2. backlog and standing: what waits now, projected to when a worker started now would be ready, and what has been there all the time.
//  3. feedback: measured misses caused by waiting add workers one by one, and calm takes them back.
//  4. bounds: the host's CPU, then min and max. What remains is the need of this moment.
//  5. Starts follow the need of this moment, the number in rotation its peak of the last 30 s, removals come one a second from idle workers.
//
// The zero Erlang is a pool not seen before.
type Erlang struct{ mem memory }

// Decide is part of Policy.
func (e *Erlang) Decide(cfg policy.Config, in policy.Snapshot) policy.Decision {
	v := newView(cfg, &in, &e.mem)
	d := v.decide()
	d.Reason = d.Term
	return d
}

// working is what a decision came from.
type working struct {
	load    load
	model   int // slots by Erlang C, those of others included
	slots   int // after backlog and standing
	asked   int // workers before feedback
	boost   int // workers feedback added
	waiting float64
	held    int
	wanted  int // starts, before the back-off
}

// decide does everything but the sentence. It does not allocate.
func (v *view) decide() policy.Decision {
	var d policy.Decision
	var w working
	w.load = v.offered()
	w.model = v.modelNeed(&w.load)
	w.slots, d.Term = v.slotsNeeded(&w)
	w.asked = v.workersFor(w.slots)
	w.boost = v.feedback(w.asked)
	if w.boost > 0 {
		d.Term = termFeedback
	}
	d.Need, d.Clamp = v.bound(&w, &d)

	w.held = min(v.hold(d.Need), v.cfg.Max)
	spare := v.spareTarget(&w, d.Need)
	d.Active = w.held
	d.Spare = min(spare, v.cfg.Max-d.Active)
	w.wanted = max(0, d.Need+min(spare, v.cfg.Max-d.Need)-v.ready())
	d.Backoff = v.backoff()
	d.Pipeline = v.allowed(w.wanted, d.Backoff)
	d.Remove = v.removable(d.Active + d.Spare)
	d.Clamp = v.clamp(d.Clamp, &d, &w)

	d.Load = w.load.erlang
	d.Mean = time.Duration(w.load.service.mean * float64(time.Second))
	d.Misses = v.predict(&w.load, d.Need)
	return d
}

// The rules that can win, as Decision.Term names them.
const (
	termIdle     = "idle"     // nothing arrives and nothing is there
	termModel    = "model"    // Erlang C against the target, at the slow rate
	termSurge    = "surge"    // the same, at the rate of a short window
	termBacklog  = "backlog"  // what waits, projected to when a start would help
	termStanding = "standing" // what has been there for half a second
	termFeedback = "feedback" // measured misses caused by waiting
	termMin      = "min"      // the operator's least
)

// slotsNeeded returns the slots that model, backlog and standing ask for, and which of them asked for the most.
func (v *view) slotsNeeded(w *working) (slots int, term string) {
	slots, term = w.model, termModel
	switch {
	case w.load.erlang == 0:
		term = termIdle
	case w.load.surging:
		term = termSurge
	}
	var n int
	if n, w.waiting = v.backlog(&w.load); n > slots {
		slots, term = n, termBacklog
	}
	if n = v.standing(); n > slots {
		slots, term = n, termStanding
	}
	return slots, term
}
