// Package admin is the plane through which a person and their tools watch and steer a balancer: the status page, metrics, health, the
// JSON interface, and the client and the terminal output that the command line uses.
//
// It knows the fleet and the scaler's journal, which it only reads, and everything else through the functions in Options.
package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"understudy/dashboard"
	"understudy/fleet"
	"understudy/scaler"
)

// Options are what a plane shows, can do, and to whom. Fleet, Ports and Journal are required; a route whose function is nil does not exist.
// The functions are called concurrently.
type Options struct {
	Fleet interface {
		Status() []fleet.PoolStatus
		Worker(id string) (*fleet.Worker, fleet.State, bool)
	}
	Ports    interface{ Status() fleet.PortsStatus }
	Journal  Journal
	Goals    func(pool string) Goals                  // what the configuration in force asks of a pool
	Troubles func(pool string) (scaler.Trouble, bool) // what last went wrong with starting its workers
	Rollouts func(pool string) (scaler.Rollout, bool) // how far the last change of what its workers are made from is
	Images   func(pool string) scaler.Image           // what its workers are made of
	Exits    func(pool string) (scaler.Exit, bool)    // how the last of its workers ended that was not asked to
	Engine   func() scaler.EngineStatus               // whether what runs the workers is there; nil: it is, since Start
	Ready    func() (ok bool, why string)             // nil: always; why is one sentence when not ok

	Instance, Driver, Version string
	Publish                   string    // how workers are reached, as the configuration says it
	Start                     time.Time // of the process

	Quit     func()                                                                 // begins the end and returns at once
	Drain    func(ctx context.Context, id string) error                             // begins to drain one worker and returns at once
	Logs     func(ctx context.Context, pool string, follow bool, w io.Writer) error // writes whole lines, until ctx ends when it follows
	Register http.Handler                                                           // POST /register
	Workers  http.Handler                                                           // GET /workers
	Metrics  http.Handler                                                           // GET /metrics

	Profiles bool // GET /debug/pprof/NAME

	Token string   // empty: none is asked for
	Hosts []string // host names it goes by, beside localhost and every address: that of the configured admin address

	Feed *Feed            // what the dashboard and /api/v1/stream are told; nil: nothing is streamed
	Stop context.Context  // when it ends, streams end, so that the server can shut down; nil: never
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // what was done by hand; nil: nowhere
}

// Goals are what the configuration asks of one pool.
type Goals struct {
	Percentile      float64 // the share of requests, in percent, that shall be within the target
	Min, Max, Spare int     // workers of ours; Max counts the spare too
	Security        Security
}

// Journal is where decisions are read; *scaler.Journal is one.
type Journal interface {
	Last(n int) []scaler.Entry
	Total() uint64
}

// view reads what there is to show.
type view struct{ Options }

func newView(o Options) view {
	if o.Goals == nil {
		o.Goals = func(string) Goals { return Goals{} }
	}
	if o.Troubles == nil {
		o.Troubles = func(string) (scaler.Trouble, bool) { return scaler.Trouble{}, false }
	}
	if o.Images == nil {
		o.Images = func(string) scaler.Image { return scaler.Image{} }
	}
	if o.Rollouts == nil {
		o.Rollouts = func(string) (scaler.Rollout, bool) { return scaler.Rollout{}, false }
	}
	if o.Exits == nil {
		o.Exits = func(string) (scaler.Exit, bool) { return scaler.Exit{}, false }
	}
	if o.Ready == nil {
		o.Ready = func() (bool, string) { return true, "" }
	}
	if o.Engine == nil {
		o.Engine = func() scaler.EngineStatus { return scaler.EngineStatus{Since: o.Start} }
	}
	if o.Stop == nil {
		o.Stop = context.Background()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return view{o}
}

type plane struct {
	view
	hosts    hosts
	token    *tokenCheck
	sessions *sessions
	origin   *http.CrossOriginProtection
	streams  chan struct{}   // a place for each open stream
	public   map[string]bool // paths that may be had without the token
}

// New makes the handler of the admin plane.
func New(o Options) http.Handler {
	v := newView(o)
	p := &plane{
		view:     v,
		hosts:    newHosts(o.Hosts),
		token:    newTokenCheck(o.Token, v.Now),
		sessions: newSessions(o.Token, o.Instance, v.Now),
		origin:   http.NewCrossOriginProtection(),
		streams:  make(chan struct{}, maxStreams),
		public:   publicPaths(),
	}
	return p.doors(p.routes())
}

func (p *plane) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", http.HandlerFunc(notFound))
	mux.Handle("/{$}", read(dashboard.ServePage(p.token.on)))
	for _, name := range dashboard.Files() {
		mux.Handle("/"+name, read(dashboard.Serve(name, http.StatusOK)))
	}
	mux.Handle(loginPath, methods{http.MethodPost: p.login})
	mux.Handle("/api/v1/logout", methods{http.MethodPost: p.logout})
	mux.Handle("/healthz", read(healthz))
	mux.Handle("/readyz", read(p.readyz))
	mux.Handle("/api/v1/status", read(p.serveStatus))
	mux.Handle("/api/v1/decisions", read(p.serveDecisions))
	if p.Feed != nil {
		mux.Handle("/api/v1/stream", methods{http.MethodGet: p.serveStream})
	}
	if p.Metrics != nil {
		mux.Handle("/metrics", read(p.Metrics.ServeHTTP))
	}
	if p.Quit != nil {
		mux.Handle("/api/v1/quit", methods{http.MethodPost: p.quit})
	}
	if p.Drain != nil {
		mux.Handle("/api/v1/workers/{id}", methods{http.MethodDelete: p.drain})
	}
	if p.Logs != nil {
		mux.Handle("/api/v1/logs", methods{http.MethodGet: p.serveLogs})
	}
	if p.Register != nil {
		mux.Handle(registerPath, methods{http.MethodPost: p.Register.ServeHTTP})
	}
	if p.Profiles {
		mux.Handle(profilePath, methods{http.MethodGet: serveProfile, http.MethodPost: serveProfile})
	}
	if p.Workers != nil {
		mux.Handle("/workers", read(p.Workers.ServeHTTP))
	}
	return mux
}
