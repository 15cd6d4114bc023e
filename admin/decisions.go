package admin

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"understudy/scaler"
	"understudy/scaler/policy"
)

const (
	defaultDecisions = 20
	maxDecisions     = 1000
)

// Decisions is the answer of /api/v1/decisions, oldest first. Total counts all there ever were in this process.
type Decisions struct {
	Total     uint64     `json:"total"`
	Decisions []Decision `json:"decisions"`
}

// Decision is one entry of the scaler's journal. Names are fixed; more may be added. Times are in the unit the name ends in.
type Decision struct {
	Number        uint64    `json:"number"` // 1 is the first of this process
	At            time.Time `json:"at"`
	Pool          string    `json:"pool"`
	From          int       `json:"from"` // workers wanted before, without the spare
	To            int       `json:"to"`
	Direction     string    `json:"direction"` // up, down, hold
	Term          string    `json:"term"`      // the rule that won
	Clamp         string    `json:"clamp"`     // what limited it; empty: nothing
	Reason        string    `json:"reason"`
	Note          string    `json:"note"` // what came of it when that is not plain
	LoadErlang    float64   `json:"load_erlang"`
	MeanServiceMS float64   `json:"mean_service_ms"`
	Misses        [3]Share  `json:"misses"` // predicted share that misses by waiting with one worker less, with To, with one more
	Wanted        Wanted    `json:"wanted"`
	Inputs        Inputs    `json:"inputs"`
}

// Wanted is what was chosen.
type Wanted struct {
	Active    int     `json:"active"` // workers in rotation
	Spare     int     `json:"spare"`
	Starts    int     `json:"starts"` // in flight or asked for
	Remove    int     `json:"remove"`
	BackoffMS float64 `json:"backoff_ms"`    // until the next start is allowed
	WaitMS    float64 `json:"queue_wait_ms"` // the longest a request may wait while the pool cannot grow and its queue keeps standing; 0: as configured
}

// Inputs are the measurements it rested on.
type Inputs struct {
	Active         int      `json:"active"`
	Idle           int      `json:"idle"`
	Spare          int      `json:"spare"`
	Starting       int      `json:"starting"`
	Others         int      `json:"others"` // task slots of registered workers and members
	Busy           int      `json:"busy"`
	Queue          int      `json:"queue"`
	OldestQueuedMS float64  `json:"oldest_queued_ms"`
	MeanBusy       float64  `json:"mean_busy"`
	Arrivals       []Window `json:"arrivals"`
	Answers        int      `json:"answers"` // of the last 10 s, with the next three
	Over           int      `json:"over"`    // slower than the target
	Missed         int      `json:"missed"`  // of those, because they waited
	Failed         int      `json:"failed"`
	StartMS        float64  `json:"start_ms"` // p90 of the last starts
	StartFails     int      `json:"start_fails"`
	HostCPU        Share    `json:"host_cpu"`
}

// Window is how many requests arrived in the last so many seconds.
type Window struct {
	Seconds  float64 `json:"seconds"`
	Arrivals int     `json:"arrivals"`
}

// Share is from 0 to 1; negative is "not known", in JSON null.
type Share float64

// MarshalJSON is part of json.Marshaler.
func (s Share) MarshalJSON() ([]byte, error) {
	if !s.Known() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, math.Round(float64(s)*1e4)/1e4, 'f', -1, 64), nil
}

// UnmarshalJSON is part of json.Unmarshaler.
func (s *Share) UnmarshalJSON(b []byte) error {
	f := -1.0
	if string(b) != "null" {
		if err := json.Unmarshal(b, &f); err != nil {
			return err
		}
	}
	*s = Share(f)
	return nil
}

// Known tells whether there is a share at all.
func (s Share) Known() bool { return s >= 0 && !math.IsInf(float64(s), 0) }

func (p *plane) serveDecisions(w http.ResponseWriter, r *http.Request) {
	n := defaultDecisions
	if v := r.URL.Query().Get("n"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 || n > maxDecisions {
			problem{
				Status: http.StatusBadRequest, Code: "bad-number",
				Detail: "n must be a whole number from 1 to " + strconv.Itoa(maxDecisions),
			}.write(w)
			return
		}
	}
	writeJSON(w, http.StatusOK, p.decisions(n))
}

// entries yields the last n of the journal and the number of the first. One that is added between two reads would shift them; then they are read again.
func (p *view) entries(n int) (first uint64, entries []scaler.Entry) {
	total := p.Journal.Total()
	entries = p.Journal.Last(n)
	for again := p.Journal.Total(); again != total; again = p.Journal.Total() {
		total, entries = again, p.Journal.Last(n)
	}
	return total - uint64(len(entries)) + 1, entries
}

// decisions yields the last n with their numbers.
func (p *view) decisions(n int) Decisions {
	first, entries := p.entries(n)
	out := Decisions{Total: first - 1 + uint64(len(entries)), Decisions: make([]Decision, 0, len(entries))}
	for i, e := range entries {
		out.Decisions = append(out.Decisions, decisionOf(first+uint64(i), e))
	}
	return out
}

// since yields the decisions after the one numbered seen, as far back as the journal goes.
func (p *view) since(seen uint64) []Decision {
	for {
		missed := min(p.Journal.Total()-seen, maxDecisions)
		if missed == 0 {
			return nil
		}
		// more may have come meanwhile and pushed the first of them out of the answer
		if d := p.decisions(int(missed)); d.Total-seen <= missed || missed == maxDecisions {
			return d.Decisions
		}
	}
}

func decisionOf(number uint64, e scaler.Entry) Decision {
	d := e.Decision
	return Decision{
		Number: number, At: e.At.UTC().Truncate(time.Millisecond), Pool: e.Pool, From: e.From, To: e.To, Direction: e.Direction(),
		Term: d.Term, Clamp: d.Clamp, Reason: d.Reason, Note: e.Note,
		LoadErlang: hundredths(d.Load), MeanServiceMS: millis(d.Mean),
		Misses: [3]Share{Share(d.Misses[0]), Share(d.Misses[1]), Share(d.Misses[2])},
		Wanted: Wanted{Active: d.Active, Spare: d.Spare, Starts: d.Pipeline, Remove: d.Remove, BackoffMS: millis(d.Backoff), WaitMS: millis(d.Wait)},
		Inputs: inputsOf(e.Input),
	}
}

func inputsOf(in policy.Snapshot) Inputs {
	out := Inputs{
		Active: in.Active, Idle: in.Idle, Spare: in.Spare, Starting: len(in.Begun), Others: in.Others,
		Busy: in.Busy, Queue: in.Queue, MeanBusy: hundredths(in.MeanBusy), Arrivals: []Window{},
		Answers: in.Latency.N, Over: in.Latency.Over, Missed: in.Latency.Missed, Failed: in.Latency.Failed,
		StartMS: millis(in.StartTime), StartFails: in.StartFails, HostCPU: Share(in.HostCPU),
	}
	if len(in.Queued) > 0 {
		out.OldestQueuedMS = millis(in.Queued[0].Age)
	}
	for _, w := range append(in.Windows[:len(in.Windows):len(in.Windows)], in.Slow) {
		if w.Width > 0 {
			out.Arrivals = append(out.Arrivals, Window{Seconds: seconds(w.Width), Arrivals: w.Arrivals})
		}
	}
	return out
}
