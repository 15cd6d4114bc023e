package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy/admin"
	"understudy/fleet"
	"understudy/scaler"
	"understudy/scaler/policy"
)

// stage is a balancer's insides behind a real admin plane, on a port that survives what is behind it.
type stage struct {
	t       *testing.T
	address string
	fleet   *fleet.Fleet
	ports   *fleet.Ports
	journal *scaler.Journal
	token   string
	pool    string
	word    string // what the second pool's troubles are called; empty: there is no second pool

	away  atomic.Bool  // the engine is
	drops atomic.Int64 // requests that change something and get no answer, from now on
	ahead atomic.Int64 // how far our clock is ahead of the world's, so that requests take time and tests do not
	began time.Time
	end   func()
}

func (s *stage) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

const target = 300 * time.Millisecond

func newStage(t *testing.T) *stage {
	return &stage{t: t, address: "127.0.0.1:0", pool: "general"}
}

// begin starts a process: nothing of an earlier one is known to it.
func (s *stage) begin() {
	s.t.Helper()
	pools := []fleet.PoolConfig{{Name: s.pool, Capabilities: []string{"mult", "add"}, Max: 8, QueueLength: 100, QueueWait: time.Minute, Target: target}}
	if s.word != "" {
		pools = append(pools, fleet.PoolConfig{Name: s.word, Capabilities: []string{s.word}, Max: 2, QueueLength: 1, QueueWait: time.Second, Target: time.Second})
	}
	s.fleet, s.began = fleet.New(pools, s.now), s.now()
	s.ports = fleet.NewPorts(20000, 20063, s.now)
	s.journal = scaler.NewJournal(100)
	s.worker("w1")
	s.worker("w2")
	s.decide("model: the first worker and its spare", 0, 1)
	o := admin.Options{
		Fleet: s.fleet, Ports: s.ports, Journal: s.journal, Instance: "stage", Driver: "fake", Version: "1.2.3", Start: s.now(), Token: s.token, Now: s.now,
		Goals: func(string) admin.Goals {
			return admin.Goals{Percentile: 95, Min: 1, Max: 8, Spare: 1, Security: s.fence()}
		},
		Engine: func() scaler.EngineStatus {
			return scaler.EngineStatus{Away: s.away.Load(), Since: s.began, Error: "<b>refused</b>"}
		},
		Troubles: func(pool string) (scaler.Trouble, bool) {
			if pool != s.word {
				return scaler.Trouble{}, false
			}
			return scaler.Trouble{Error: s.word, Logs: []string{s.word, s.word}, Fails: 2}, true
		},
		Exits: func(pool string) (scaler.Exit, bool) {
			if pool != s.word {
				return scaler.Exit{}, false
			}
			return scaler.Exit{At: time.Unix(1_900_000_000, 0), Worker: s.word, Reason: s.word, Error: s.word, Logs: []string{s.word, s.word}}, true
		},
	}
	o.Feed = admin.NewFeed(o)
	s.serve(o)
}

// fence is loosened where there is a word for it.
func (s *stage) fence() admin.Security {
	if s.word == "" {
		return admin.Security{Level: "strict"}
	}
	return admin.Security{Level: "standard", Relaxed: []string{"mounts: " + s.word, "devices: " + s.word}}
}

func (s *stage) serve(o admin.Options) {
	ctx, stop := context.WithCancel(context.Background())
	o.Stop = ctx
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	inner := admin.New(o)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && s.drops.Add(-1) >= 0 {
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	})}
	var running sync.WaitGroup
	running.Go(func() { o.Feed.Run(ctx) })
	running.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.t.Error(err)
		}
	})
	s.end = sync.OnceFunc(func() { stop(); server.Close(); running.Wait() })
	s.t.Cleanup(func() { s.end() })
}

func (s *stage) url() string { return "http://" + s.address + "/" }

// worker adds one that is ready.
func (s *stage) worker(id string) {
	s.t.Helper()
	port, err := s.ports.Lease()
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.fleet.Add(fleet.Info{ID: id, Pool: s.pool, Port: port, Address: fmt.Sprint("http://127.0.0.1:", port), Origin: fleet.Cold}); err != nil {
		s.t.Fatal(err)
	}
	s.fleet.Ready(id, "", 1)
}

// load answers so many requests, each in 20 ms.
func (s *stage) load(n int) {
	s.t.Helper()
	for range n {
		lease, err := s.fleet.Acquire(s.t.Context(), fleet.Request{Capability: "mult"})
		if err != nil {
			s.t.Fatal(err)
		}
		s.ahead.Add(int64(20 * time.Millisecond))
		lease.Release(fleet.Outcome{Kind: fleet.Served})
	}
}

func (s *stage) decide(reason string, from, to int) {
	s.journal.Add(scaler.Entry{At: s.now(), Pool: s.pool, From: from, To: to, Decision: policy.Decision{Active: to, Reason: reason, Term: "model"}})
	s.fleet.SetDesired(s.pool, to+1, reason)
}
