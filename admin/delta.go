package admin

import (
	"reflect"
	"time"

	"understudy/dashboard"
)

// Change is the event that follows each second: what is new since the one before, or since the status the stream began with.
type Change struct {
	At    int64        `json:"at"`             // Unix milliseconds
	Head  *Head        `json:"head,omitempty"` // when it has changed
	Pools []PoolChange `json:"pools"`
}

// Head is what a status says beside its pools.
type Head struct {
	Ready    bool   `json:"ready"`
	NotReady string `json:"not_ready"`
	Engine   Engine `json:"engine"`
	Ports    Ports  `json:"ports"`
}

// PoolChange is what is new in one pool.
type PoolChange struct {
	Name    string             `json:"name"`
	Sample  dashboard.Sample   `json:"sample"`
	Pool    *Pool              `json:"pool,omitempty"`    // without its workers, when more than the figures of the sample has changed
	Workers []any              `json:"workers,omitempty"` // Worker where it is new or anything but its work has changed, else Progress
	Gone    []string           `json:"gone,omitempty"`
	Moments []dashboard.Moment `json:"moments,omitempty"`
}

// Progress is a worker of which only its work is new.
type Progress struct {
	ID       string `json:"id"`
	Inflight int    `json:"inflight"`
	Served   uint64 `json:"served"`
}

// Past is the event a stream has after its status: the last quarter of an hour.
type Past struct {
	Process   int64               `json:"process"` // when this process started, Unix milliseconds: the numbers of decisions are its own
	At        int64               `json:"at"`      // now
	Pools     []dashboard.Columns `json:"pools"`
	Moments   []dashboard.Moment  `json:"moments"`
	Decisions []Verdict           `json:"decisions"`
}

// Verdict is a decision without what it rested on.
type Verdict struct {
	Number    uint64    `json:"number"`
	At        time.Time `json:"at"`
	Pool      string    `json:"pool"`
	From      int       `json:"from"`
	To        int       `json:"to"`
	Direction string    `json:"direction"`
	Clamp     string    `json:"clamp"`
	Reason    string    `json:"reason"`
	Note      string    `json:"note"`
}

const (
	pastTime      = 15 * time.Minute
	pastDecisions = 300
)

// begin writes what a stream starts with.
func (f *Feed) begin() []byte {
	now := f.Now()
	past := Past{Process: f.Start.UnixMilli(), At: now.UnixMilli(), Moments: []dashboard.Moment{}, Decisions: []Verdict{}}
	for _, p := range f.shown.Pools {
		past.Pools = append(past.Pools, f.history.Columns(p.Name))
		past.Moments = append(past.Moments, f.history.Moments(p.Name)...)
	}
	first, entries := f.entries(pastDecisions)
	for i, e := range entries {
		if number := first + uint64(i); number <= f.told && now.Sub(e.At) <= pastTime {
			past.Decisions = append(past.Decisions, verdictOf(decisionOf(number, e)))
		}
	}
	frame := appendEvent([]byte("retry: 2000\n\n"), "status", f.eventID(f.told), f.shown)
	return appendEvent(frame, "history", "", past)
}

func verdictOf(d Decision) Verdict {
	return Verdict{Number: d.Number, At: d.At, Pool: d.Pool, From: d.From, To: d.To, Direction: d.Direction, Clamp: d.Clamp, Reason: d.Reason, Note: d.Note}
}

// changes writes how next differs from what is shown. When the pools are others, that is a new status.
func (f *Feed) changes(now time.Time, next Status) []byte {
	if !samePools(f.shown.Pools, next.Pools) {
		return appendEvent(nil, "status", "", next)
	}
	c := Change{At: now.UnixMilli(), Pools: []PoolChange{}}
	if head := headOf(next); !sameHead(head, headOf(f.shown)) {
		c.Head = &head
	}
	for i, p := range next.Pools {
		d := PoolChange{Name: p.Name}
		d.Sample, d.Moments = f.history.Latest(p.Name)
		d.compare(f.shown.Pools[i], p)
		c.Pools = append(c.Pools, d)
	}
	return appendEvent(nil, "change", "", c)
}

func headOf(s Status) Head {
	return Head{Ready: s.Ready, NotReady: s.NotReady, Engine: s.Engine, Ports: s.Ports}
}

func sameHead(a, b Head) bool {
	a.Engine, b.Engine = a.Engine.lasting(), b.Engine.lasting()
	return reflect.DeepEqual(a, b)
}

func samePools(a, b []Pool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

func (d *PoolChange) compare(was, is Pool) {
	if lasting := withoutFigures(is); !reflect.DeepEqual(withoutFigures(was), lasting) {
		d.Pool = &lasting
	}
	known := map[string]Worker{}
	for _, w := range was.Workers {
		known[w.ID] = w
	}
	for _, w := range is.Workers {
		before, there := known[w.ID]
		delete(known, w.ID)
		switch {
		case !there || !reflect.DeepEqual(withoutWork(before), withoutWork(w)):
			d.Workers = append(d.Workers, w)
		case before.Inflight != w.Inflight || before.Served != w.Served:
			d.Workers = append(d.Workers, Progress{ID: w.ID, Inflight: w.Inflight, Served: w.Served})
		}
	}
	for _, w := range was.Workers {
		if _, gone := known[w.ID]; gone {
			d.Gone = append(d.Gone, w.ID)
		}
	}
}

// withoutFigures leaves out what the sample says, and the workers.
func withoutFigures(p Pool) Pool {
	p.P50MS, p.P95MS, p.P99MS, p.Rate, p.Queue, p.InFlight, p.Desired, p.Workers = 0, 0, 0, 0, 0, 0, 0, nil
	return p
}

// withoutWork leaves out what changes by itself.
func withoutWork(w Worker) Worker {
	w.Inflight, w.Served, w.AgeS = 0, 0, 0
	return w
}
