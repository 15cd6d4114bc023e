package admin

import (
	"math"
	"net/http"
	"time"

	"understudy/fleet"
)

// Status is the answer of /api/v1/status. Names are fixed; more may be added. Times are in the unit the name ends in.
type Status struct {
	Instance string  `json:"instance"`
	Driver   string  `json:"driver"`
	Version  string  `json:"version"`
	UptimeS  float64 `json:"uptime_s"`
	Ready    bool    `json:"ready"`
	NotReady string  `json:"not_ready"` // why; empty when ready
	Publish  string  `json:"publish"`   // how workers are reached: loopback, by a port of the host each; network, by their containers' addresses
	Engine   Engine  `json:"engine"`
	Ports    Ports   `json:"ports"`
	Pools    []Pool  `json:"pools"`
}

// Ports counts the host ports of the range. To is less than From when there are none.
type Ports struct {
	From        int           `json:"from"`
	To          int           `json:"to"`
	Leased      int           `json:"leased"`
	Quarantined int           `json:"quarantined"`
	Free        int           `json:"free"`
	Troubles    []PortTrouble `json:"troubles"` // the quarantined ones
}

// PortTrouble is a port that nobody is given for now.
type PortTrouble struct {
	Port   int       `json:"port"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// Pool is one kind of worker. Percentiles are of the last 10 s, 0 when there were too few answers to tell: 2, 20, 100.
type Pool struct {
	Name         string   `json:"name"`
	Capabilities []string `json:"capabilities"`
	TargetMS     float64  `json:"target_ms"`
	Percentile   float64  `json:"percentile"`
	P50MS        float64  `json:"p50_ms"`
	P95MS        float64  `json:"p95_ms"`
	P99MS        float64  `json:"p99_ms"`
	Rate         float64  `json:"rate"` // arrivals a second
	Queue        int      `json:"queue"`
	InFlight     int      `json:"inflight"`
	Desired      int      `json:"desired"` // workers, the spare included
	Min          int      `json:"min"`
	Max          int      `json:"max"`
	Spare        int      `json:"spare"`
	Reason       string   `json:"reason"`      // why so many are desired
	Unavailable  string   `json:"unavailable"` // why no worker can be had; empty: they can
	LastError    string   `json:"last_error"`  // of starting a worker, until one starts; empty: none
	LastLogs     []string `json:"last_logs"`   // what that worker printed last
	StartFails   int      `json:"start_fails"` // starts failed in a row
	LastExit     *Exit    `json:"last_exit"`   // of a worker that nobody asked to end; null: there was none
	Security     Security `json:"security"`
	Rollout      *Rollout `json:"rollout,omitempty"` // of the last change of what workers are made from; absent: there was none
	Image        *Image   `json:"image,omitempty"`   // absent: nothing is known of any
	Pull         *Pull    `json:"pull,omitempty"`    // absent: none is under way
	Workers      []Worker `json:"workers"`
}

// Worker is one container, process, registered worker or fixed member.
type Worker struct {
	ID           string   `json:"id"`
	State        string   `json:"state"`  // starting, spare, active, draining, failed
	Asleep       bool     `json:"asleep"` // a spare that is frozen until a request needs it
	Port         int      `json:"port"`   // 0: none of ours
	Address      string   `json:"address"`
	Capabilities []string `json:"capabilities"` // empty: those of the pool
	Inflight     int      `json:"inflight"`
	Served       uint64   `json:"served"`
	AgeS         float64  `json:"age_s"`
	Start        string   `json:"start"`           // adopted, cold, registered, member
	StartMS      float64  `json:"start_ms"`        // how long its start took; 0: not started by us, or not ready yet
	StartPhases  Phases   `json:"start_phases_ms"` // what the parts of that took; all 0: not known
	Limit        int      `json:"limit"`           // tasks it may have at a time now: less than its concurrency while it is fresh
	EjectedS     float64  `json:"ejected_s"`       // for how long it gets nothing, because requests broke on it; 0: it serves
	Lost         bool     `json:"lost"`            // it gets nothing: it is out of reach, and so may be what runs it
	Reason       string   `json:"reason"`          // why it drains, failed, is lost or is ejected
}

// Phases are the parts of a start, in milliseconds.
type Phases struct {
	Create float64 `json:"create"` // until the worker existed: the image, a turn at the engine, the container
	Start  float64 `json:"start"`  // from then until it was started
	Ready  float64 `json:"ready"`  // from then until it first answered as it should
}

func (p *plane) serveStatus(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, p.status())
}

// status reads everything anew.
func (p *view) status() Status { return p.statusOf(p.Fleet.Status()) }

func (p *view) statusOf(pools []fleet.PoolStatus) Status {
	s := Status{
		Instance: p.Instance, Driver: p.Driver, Version: p.Version, UptimeS: seconds(p.Now().Sub(p.Start)),
		Publish: p.Publish, Ports: portsOf(p.Ports.Status()), Pools: []Pool{},
	}
	s.Ready, s.NotReady = p.Ready()
	s.Engine = engineOf(p.Engine(), p.Now())
	for _, pool := range pools {
		s.Pools = append(s.Pools, p.poolOf(pool))
	}
	return s
}

func portsOf(f fleet.PortsStatus) Ports {
	p := Ports{From: f.From, To: f.To, Leased: f.Leased, Quarantined: len(f.Quarantined), Free: f.Free, Troubles: []PortTrouble{}}
	for _, q := range f.Quarantined {
		p.Troubles = append(p.Troubles, PortTrouble{Port: q.Port, Reason: q.Reason, Until: q.Until})
	}
	return p
}

func (p *view) poolOf(f fleet.PoolStatus) Pool {
	goals := p.Goals(f.Name)
	trouble, _ := p.Troubles(f.Name)
	out := Pool{
		Name: f.Name, Capabilities: list(f.Capabilities), TargetMS: millis(f.Target), Percentile: goals.Percentile,
		P50MS: millis(f.P50), P95MS: millis(f.P95), P99MS: millis(f.P99),
		Rate: hundredths(f.Rate), Queue: f.Queue, InFlight: f.InFlight,
		Desired: f.Desired, Min: goals.Min, Max: goals.Max, Spare: goals.Spare, Reason: f.Reason, Unavailable: f.Unavailable,
		LastError: trouble.Error, LastLogs: plainList(trouble.Logs), StartFails: trouble.Fails, LastExit: p.lastExit(f.Name), Rollout: p.rollout(f.Name), Workers: []Worker{},
	}
	out.Security = Security{Level: goals.Security.Level, Relaxed: list(goals.Security.Relaxed)}
	out.Image, out.Pull = p.image(f.Name)
	for _, w := range f.Workers {
		out.Workers = append(out.Workers, Worker{
			ID: w.ID, State: w.State.String(), Asleep: w.Asleep, Port: w.Port, Address: w.Address, Capabilities: list(w.Capabilities),
			Inflight: w.InFlight, Served: w.Served, AgeS: seconds(w.Age), Start: string(w.Origin), StartMS: millis(w.Ready),
			StartPhases: Phases{Create: millis(w.Phases.Create), Start: millis(w.Phases.Start), Ready: millis(w.Phases.Ready)}, Limit: w.Limit,
			EjectedS: seconds(w.Ejected), Lost: w.Lost, Reason: w.Reason,
		})
	}
	return out
}

// list is never nil, so that JSON has [] and not null.
func list(s []string) []string { return append([]string{}, s...) }

func millis(d time.Duration) float64  { return hundredths(float64(d) / float64(time.Millisecond)) }
func seconds(d time.Duration) float64 { return hundredths(d.Seconds()) }

// hundredths keeps two digits, more of which nobody measured. What is no number, which JSON cannot write, is 0.
func hundredths(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return math.Round(f*100) / 100
}
