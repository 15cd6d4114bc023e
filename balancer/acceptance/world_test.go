package acceptance

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"understudy/balancer"
	"understudy/config"
	"understudy/config/pairtest"
	"understudy/fleet"
)

// front is who speaks HTTP with the clients: our own lean server, or net/http's, which everybody gets who comes over TLS.
type front struct {
	name   string
	secure bool // over TLS
	web    bool // net/http serves it, which refuses heads it cannot read by itself, in plain text
}

func fronts() []front {
	return []front{
		{name: "lean"},
		{name: "net-http", web: true},
		{name: "TLS", web: true, secure: true},
	}
}

// plan is what a world is made from.
type plan struct {
	config.Config
	header  time.Duration // for the head of a request
	workers []script      // one recorder each; nil: answers OK
	prober  balancer.Prober
	before  string // what each connection begins with, before TLS
}

// pool is the first pool's configuration, to be changed.
func (p *plan) pool() *config.Pool { return &p.Pools[0] }

// newPlan has limits that no row waits for. The capabilities are mult and chat; there is no wildcard.
func newPlan() *plan {
	return &plan{
		Config: config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: patience}, Pools: []config.Pool{{
			Name: "general", Image: "their/image", Capabilities: []string{"mult", "chat"}, Concurrency: 1, Timeout: patience, IdleTimeout: patience,
			Target: config.Target{Latency: 300 * time.Millisecond, Percentile: 95}, Workers: config.Workers{Max: 8},
			Queue: config.Queue{Length: 100, Wait: patience}, Ready: config.Ready{Path: "/", Status: "200-499"},
		}}},
		header: patience, workers: []script{nil},
	}
}

// world is a balancer behind a real server on a real socket, with a real fleet and workers that keep what they get.
type world struct {
	x        *trial
	front    front
	plan     *plan
	fleet    *fleet.Fleet
	balancer *balancer.Balancer
	books    *books
	log      *logBook
	server   *balancer.Server
	scheme   string
	served   chan struct{}
	addr     string
	bare     resources // with a listener and nothing else

	mu        sync.Mutex
	recorders []*recorder
	clients   []*client
}

func newWorld(x *trial, f front, with func(*plan)) *world {
	p := newPlan()
	if with != nil {
		with(p)
	}
	var pools []fleet.PoolConfig
	for _, one := range p.Pools {
		pools = append(pools, fleet.PoolConfig{
			Name: one.Name, Capabilities: one.Capabilities, Concurrency: one.Concurrency, Max: one.Workers.Max,
			QueueLength: one.Queue.Length, QueueWait: one.Queue.Wait, Target: one.Target.Latency,
			Ramp: one.Ramp, Eject: fleet.Eject(one.Eject),
		})
	}
	w := &world{x: x, front: f, plan: p, fleet: fleet.New(pools, time.Now), books: newBooks(), log: &logBook{}, served: make(chan struct{})}
	w.balancer = balancer.New(balancer.Options{
		Fleet: w.fleet, Config: &p.Config, Recorder: w.books, Prober: p.prober,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		x.Fatal(err)
	}
	w.addr = l.Addr().String()
	w.server = w.balancer.Server()
	w.server.HeaderTimeout, w.server.WebOnly = p.header, f.web
	w.scheme = "http"
	if f.secure {
		w.encrypt()
	}
	go func() {
		defer close(w.served)
		_ = w.server.Serve(l)
	}()
	w.warm()
	w.bare = settled()
	for _, s := range p.workers {
		w.worker("general", s)
	}
	return w
}

// encrypt puts a certificate into force.
func (w *world) encrypt() {
	w.scheme = "https"
	cert, key := pairtest.Files(w.x.T, w.x.TempDir(), "acceptance")
	if err := w.balancer.LoadCertificate(config.TLS{Cert: cert, Key: key}); err != nil {
		w.x.Fatal(err)
	}
}

// warm has the server begin with whatever it begins with its first client. Where a row's limits are short, a machine that has other work may
// let the first clients wait longer than they allow, which says nothing about the row.
func (w *world) warm() {
	const request = "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"
	w.x.await("the server serves", func() bool {
		a, err := w.dial().send(request).read(request)
		w.closeClients()
		return err == nil && a.status < 300
	})
}

// worker starts a recorder and puts it into rotation.
func (w *world) worker(pool string, s script) *recorder {
	rec, err := newRecorder(s)
	if err != nil {
		w.x.Fatal(err)
	}
	w.mu.Lock()
	w.recorders = append(w.recorders, rec)
	rec.id = fmt.Sprintf("w%d", len(w.recorders))
	w.mu.Unlock()
	w.join(fleet.Info{ID: rec.id, Pool: pool, Address: rec.url(), Generation: "g-" + rec.id, Origin: fleet.Cold})
	return rec
}

func (w *world) join(info fleet.Info) *fleet.Worker {
	one, err := w.fleet.Add(info)
	if err != nil {
		w.x.Fatal(err)
	}
	w.fleet.Ready(one.ID, info.Address, 1000)
	return one
}

// first is the first worker.
func (w *world) first() *recorder { return w.recorders[0] }

// idle tells whether nothing is in flight and nobody waits.
func (w *world) idle() bool {
	for _, p := range w.fleet.Status() {
		if p.InFlight > 0 || p.Queue > 0 {
			return false
		}
	}
	return true
}

// queued is how many requests wait.
func (w *world) queued() int { return w.fleet.Status()[0].Queue }

// end takes everything down. A connection that net/http lingers on is left to it, so that its goroutine and its descriptor go together and
// the next world does not miscount them; where a row failed nobody knows what is left, and everything is cut.
func (w *world) end(failed bool) {
	w.balancer.Abort()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	switch err := w.server.Shutdown(ctx); {
	case err != nil && failed:
		_ = w.server.Close()
	case err != nil:
		go w.closeLater()
	}
	<-w.served
	for _, one := range w.fleet.Workers() {
		w.fleet.Remove(one.ID)
	}
	w.closeClients()
	for _, rec := range w.recorders {
		rec.close()
	}
}

// closeLater waits for connections that are lingered on. It is not counted as a leak while it does.
func (w *world) closeLater() { _ = w.server.Shutdown(context.Background()) }

func (w *world) closeClients() {
	w.mu.Lock()
	clients := w.clients
	w.clients = nil
	w.mu.Unlock()
	for _, c := range clients {
		c.close()
	}
}

// books is a Recorder that keeps what it is told.
type books struct {
	mu       sync.Mutex
	counts   map[string]int
	codes    map[int]int
	names    map[string]bool // home and capability of each request: what becomes a metric's label
	finished chan int        // the code of each request as it ends
}

func newBooks() *books {
	return &books{counts: map[string]int{}, codes: map[int]int{}, names: map[string]bool{}, finished: make(chan int, 1<<17)}
}

func (b *books) Request(home, capability string, code int, _, _, _ time.Duration) {
	b.mu.Lock()
	b.codes[code]++
	b.names[home+"/"+capability] = true
	b.mu.Unlock()
	b.finished <- code
}

func (b *books) count(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[key]++
}

func (b *books) Retry(_, reason string) { b.count("retry " + reason) }
func (b *books) Shed(_, code string)    { b.count("shed " + code) }
func (b *books) Ejected(string)         { b.count("ejected") }
func (b *books) Refused(step string)    { b.count("refused " + step) }
func (b *books) Lost(_, cause string)   { b.count("lost " + cause) }

// of is how often things were counted whose name begins so.
func (b *books) of(prefix string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for key, count := range b.counts {
		if strings.HasPrefix(key, prefix) {
			n += count
		}
	}
	return n
}

// logBook keeps the log.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
