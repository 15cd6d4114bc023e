package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/driver"
	"understudy/fleet"
	"understudy/scaler"
	"understudy/scaler/policy"
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares got with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update rewrites it):\n%s", file, got)
	}
}

// stage is a balancer's insides with a clock that a test moves.
type stage struct {
	at      time.Time
	fleet   *fleet.Fleet
	ports   *fleet.Ports
	journal *scaler.Journal
	drained []string
	quits   int
	Options
}

// newStage has two pools: general with an active worker, a spare, one that starts and one that registered; broken with none.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{at: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	now := func() time.Time { return s.at }
	s.fleet = fleet.New([]fleet.PoolConfig{
		{Name: "general", Capabilities: []string{"mult", "add"}, Max: 8, QueueLength: 10, QueueWait: time.Second, Target: 300 * time.Millisecond},
		{Name: "broken", Capabilities: []string{"pdf"}, Max: 2, QueueLength: 10, QueueWait: time.Second, Target: time.Second},
	}, now)
	s.ports = fleet.NewPorts(20000, 20003, now)
	s.journal = scaler.NewJournal(50)
	s.Options = Options{
		Fleet: s.fleet, Ports: s.ports, Journal: s.journal, Now: now, Start: s.at,
		Instance: "default", Driver: "docker", Version: "1.2.3", Publish: "loopback",
		Goals: func(pool string) Goals {
			return map[string]Goals{"general": {Percentile: 95, Min: 1, Max: 8, Spare: 1, Security: Security{Level: "strict"}},
				"broken": {Percentile: 99, Max: 2, Security: Security{Level: "standard", Relaxed: []string{"cap_add: NET_RAW", "mounts: /srv/fonts:/fonts:ro"}}}}[pool]
		},
		Troubles: func(pool string) (scaler.Trouble, bool) {
			if pool != "broken" {
				return scaler.Trouble{}, false
			}
			return scaler.Trouble{Error: "the worker exited with code 3", Logs: []string{"loading", "no such file"}, Code: 3, Fails: 2}, true
		},
		Exits: func(pool string) (scaler.Exit, bool) {
			if pool != "general" {
				return scaler.Exit{}, false
			}
			return scaler.Exit{
				At: time.Date(2030, 1, 2, 3, 5, 5, 0, time.UTC), Worker: "w0", Reason: "oom", Code: 137, OOM: true,
				Error: "the worker ran out of memory: it exited with code 137, oom flag = true", Logs: []string{"a picture of \x1b[2J\u202e\xff pixels"},
			}, true
		},
		Rollouts: func(pool string) (scaler.Rollout, bool) {
			since := time.Date(2030, 1, 2, 3, 5, 0, 0, time.UTC)
			r, ok := map[string]scaler.Rollout{
				"general": {State: "rolling", Done: 1, Of: 3, Outdated: 2, Since: since},
				"broken":  {State: "rolled_back", Error: "image shop/pdf:2 cannot be \x1b[2Jpulled", Since: since},
			}[pool]
			return r, ok
		},
		Images: func(pool string) scaler.Image {
			if pool != "broken" {
				return scaler.Image{ID: "sha256:0a"}
			}
			return scaler.Image{Ref: "shop/pdf:2", Wanted: "shop/pdf:2", ID: "sha256:0b", Digest: "sha256:0c", Stale: "image shop/pdf:2 cannot be pulled: connection \x1b[2Jrefused",
				Pull: &driver.Progress{Layers: 4, Done: 1, Bytes: 4_300_000, Total: 10_000_000, Since: time.Date(2030, 1, 2, 3, 5, 0, 0, time.UTC)}}
		},
		Quit:  func() { s.quits++ },
		Drain: s.drain,
		Logs: func(_ context.Context, pool string, _ bool, w io.Writer) error {
			_, err := io.WriteString(w, "w1 | hello\n")
			return err
		},
		Metrics: textHandler("metrics"), Workers: textHandler("workers"), Register: textHandler("ok"),
	}
	s.populate(t)
	s.Feed = NewFeed(s.Options) // tests that stream make it run
	return s
}

func textHandler(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
}

func (s *stage) drain(_ context.Context, id string) error {
	if _, err := s.fleet.Drain(id, "asked for"); err != nil {
		return err
	}
	s.drained = append(s.drained, id)
	return nil
}

func (s *stage) add(t *testing.T, info fleet.Info) {
	t.Helper()
	if _, err := s.fleet.Add(info); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) populate(t *testing.T) {
	t.Helper()
	for i, id := range []string{"w1", "w2", "w3"} {
		port, err := s.ports.Lease()
		if err != nil {
			t.Fatal(err)
		}
		s.add(t, fleet.Info{ID: id, Pool: "general", Port: port, Address: fmt.Sprint("http://127.0.0.1:", port), Generation: fmt.Sprint("g", i), Origin: fleet.Cold})
	}
	port, _ := s.ports.Lease()
	s.ports.Quarantine(port, "another program holds it")
	s.at = s.at.Add(412 * time.Millisecond)
	s.fleet.Ready("w1", "", 1)
	s.fleet.Ready("w2", "", 1)
	s.fleet.SetPhases("w2", fleet.Phases{Create: 120 * time.Millisecond, Start: 180 * time.Millisecond, Ready: 112 * time.Millisecond})
	s.add(t, fleet.Info{ID: "guest", Address: "http://10.0.0.7:8080", Capabilities: []string{"add"}, Origin: fleet.Registered})
	s.fleet.Ready("guest", "", 0)
	s.fleet.SetDesired("general", 3, "model: 1.9 erlang")
	s.fleet.SetUnavailable("broken", "the worker exited with code 3")
	s.at = s.at.Add(30 * time.Second)
	for range 25 {
		s.serve(t, 120*time.Millisecond)
	}
	s.journal.Add(entry("general", 1, 2, "model: 1.9 erlang"))
}

// serve lets one request take so long on the clock.
func (s *stage) serve(t *testing.T, took time.Duration) {
	t.Helper()
	lease, err := s.fleet.Acquire(t.Context(), fleet.Request{Capability: "mult"})
	if err != nil {
		t.Fatal(err)
	}
	if took > 0 { // a feed may be reading the clock
		s.at = s.at.Add(took)
	}
	lease.Release(fleet.Outcome{Kind: fleet.Served})
}

func entry(pool string, from, to int, reason string) scaler.Entry {
	return scaler.Entry{
		At: time.Date(2030, 1, 2, 3, 4, 5, 250_400_000, time.UTC), Pool: pool, From: from, To: to, Note: "",
		Decision: policy.Decision{
			Active: 2, Spare: 1, Pipeline: 1, Need: to, Term: "model", Clamp: "max", Reason: reason,
			Load: 1.904, Mean: 104 * time.Millisecond, Misses: [3]float64{-1, 0.06123, 0.007}, Backoff: 2 * time.Second, Wait: 250 * time.Millisecond,
		},
		Input: policy.Snapshot{
			Active: 1, Spare: 1, Begun: []time.Duration{time.Second}, Idle: 0, Others: 1, Busy: 1, Queue: 3, MeanBusy: 0.91,
			Queued:  []policy.Group{{Age: 120 * time.Millisecond, N: 3}},
			Windows: []policy.Window{{Width: 250 * time.Millisecond, Arrivals: 4}, {Width: time.Second, Arrivals: 18}},
			Slow:    policy.Window{Width: 30 * time.Second, Arrivals: 540},
			Latency: policy.Latency{N: 180, Over: 12, Missed: 9, Failed: 1}, StartTime: 460 * time.Millisecond, HostCPU: -1,
		},
	}
}

// live makes the plane with a feed that works until ctx ends.
func (s *stage) live(ctx context.Context) http.Handler {
	s.Feed = NewFeed(s.Options)
	go s.Feed.Run(ctx)
	return New(s.Options)
}

// do sends one request to the plane's handler.
func do(h http.Handler, method, target string, header map[string]string, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:8081"
	for k, v := range header {
		if k == "Host" {
			r.Host = v
		} else {
			r.Header.Set(k, v)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// codeOf is the stable code of an answer that is a problem, or "".
func codeOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Type") != problemType {
		return ""
	}
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("a problem that is no JSON: %v", err)
	}
	if p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("status %d with the problem %+v", w.Code, p)
	}
	return p.Code
}

var errTest = errors.New("the engine does not answer")

func infoOf(id string) fleet.Info { return fleet.Info{ID: id, Pool: "general", Origin: fleet.Cold} }
