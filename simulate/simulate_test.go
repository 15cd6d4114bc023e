package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"understudy/config"
)

func TestASmallRunComesOutAsOneWorksItOutByHand(t *testing.T) {
	// One worker: 250 ms at once, then 250 ms after 150 ms of waiting, then 250 ms after 300 ms; 400 ms of work alone are over the target.
	// The oracle has nobody wait: three workers from the beginning, of which two leave when their task ends and the last one stays: 0.25 + 0.35 + 3 s.
	l := fromTrace(t, "t,duration_ms\n0,250\n0.1,250\n0.2,250\n2.5,400\n", nil)
	l.Name = "by hand"
	r := simulated(t, Options{Load: l, Policies: []string{"fixed=1", "fixed=3"}})
	var got bytes.Buffer
	if err := r.WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	want := `{
  "trace": "by hand",
  "requests": 4,
  "target_ms": 300,
  "policies": [
    {
      "name": "fixed=1",
      "over_target": 0.75,
      "avoidable": 0.5,
      "p50_ms": 400.127,
      "p95_ms": 550.399,
      "p99_ms": 550.399,
      "worker_seconds": 3,
      "vs_oracle": 0.8333,
      "starts": 0,
      "reversals": 0,
      "no_spare_s": 1.15
    },
    {
      "name": "fixed=3",
      "over_target": 0.25,
      "avoidable": 0,
      "p50_ms": 250.111,
      "p95_ms": 400.127,
      "p99_ms": 400.127,
      "worker_seconds": 9,
      "vs_oracle": 2.5,
      "starts": 0,
      "reversals": 0,
      "no_spare_s": 0.05
    }
  ]
}
`
	if got.String() != want {
		t.Errorf("got %s\nwant %s", got.String(), want)
	}
}

func TestTheSameSeedGivesTheSameResultAndAnotherAnother(t *testing.T) {
	run := func(seed uint64) string {
		var out bytes.Buffer
		r := simulated(t, Options{Load: fromWorkload(t, "onoff", time.Minute), Seed: seed})
		if err := errors.Join(r.WriteJSON(&out), r.WriteHTML(&out)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	one := run(1)
	if one != run(1) {
		t.Error("the same seed gave two results")
	}
	if one == run(2) {
		t.Error("two seeds gave the same result")
	}
}

// counted is a load that tells how many requests it gave.
func counted(l Load, n *int) Load {
	inner := l.open
	l.open = func(seed uint64) (arrivals, error) {
		src, err := inner(seed)
		*n = 0
		return &counting{src, n}, err
	}
	return l
}

type counting struct {
	arrivals
	n *int
}

func (c *counting) next() (request, error) {
	req, err := c.arrivals.next()
	if err == nil {
		*c.n++
	}
	return req, err
}

func TestEveryArrivalEndsExactlyOnce(t *testing.T) {
	short := func(p *config.Pool) {
		p.Workers.Max, p.Queue.Length, p.Queue.Wait = 3, 5, 200*time.Millisecond
	}
	mixed := "t,kind\n"
	for i := range 2000 {
		mixed += fmt.Sprintf("%.3f,%s\n", float64(i)/40, []string{"a", "b", "a", "c"}[i%4])
	}
	overlapping := []config.Pool{
		kind("ab", nil, "a", "b"),
		kind("b", func(p *config.Pool) { p.Concurrency = 3; p.Workers.Max = 2 }, "b"),
		kind("fixed", func(p *config.Pool) {
			p.Members, p.Workers, p.Concurrency = []string{"http://127.0.0.1:1", "http://127.0.0.1:2"}, config.Workers{}, 2
		}, "c"),
	}
	for _, c := range []struct {
		name    string
		load    Load
		pools   []config.Pool
		refuses bool
	}{
		{"spike", fromWorkload(t, "spike", 80*time.Second), nil, false},
		{"on and off", fromWorkload(t, "onoff", time.Minute), nil, false},
		{"batches", fromWorkload(t, "batch", time.Minute), nil, false},
		{"far too much for a short queue", fromWorkload(t, "steady", 20*time.Second), []config.Pool{kind("p", short, "*")}, true},
		{"nobody may wait", fromWorkload(t, "steady", 20*time.Second), []config.Pool{kind("p", func(p *config.Pool) { p.Queue.Length = 0 }, "*")}, true},
		{"pools that overlap", fromTrace(t, mixed, overlapping), overlapping, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range append(AllPolicies(), "fixed=2") {
				if name == oracleName {
					continue
				}
				var n int
				o := Options{Load: counted(c.load, &n), Pools: orDefault(c.pools), Start: DefaultStart(), Seed: 3}
				got := playOne(t.Context(), o, name)
				if got.err != nil {
					t.Fatal(got.err)
				}
				b := got.book
				if n == 0 || b.requests != n || b.ended != n || int(b.latency.buckets.TotalCount()) != n {
					t.Errorf("%s: %d arrivals, %d booked, %d ended, %d latencies", name, n, b.requests, b.ended, b.latency.buckets.TotalCount())
				}
				if b.over > n || b.avoidable > b.over || b.turnedAway > b.over {
					t.Errorf("%s: of %d over the target %d avoidable, %d refused", name, b.over, b.avoidable, b.turnedAway)
				}
				if c.refuses && b.turnedAway == 0 {
					t.Errorf("%s: nobody was refused", name)
				}
			}
		})
	}
}

func TestTheOracleNeedsLeastOfAllThatMissAsLittle(t *testing.T) {
	for _, name := range Workloads() {
		r := simulated(t, Options{Load: fromWorkload(t, name, 80*time.Second), Seed: 2, Policies: []string{"understudy", "per-request", "fixed=12", "fixed=40", oracleName}})
		oracle := of(t, r, oracleName)
		if oracle.Avoidable > 0 {
			t.Errorf("%s: the oracle lets %.2f %% miss", name, 100*oracle.Avoidable)
		}
		for _, p := range r.Policies {
			if p.Avoidable <= oracle.Avoidable && p.WorkerSeconds < oracle.WorkerSeconds {
				t.Errorf("%s: %s misses as little with %.0f worker-seconds; the oracle needs %.0f", name, p.Name, p.WorkerSeconds, oracle.WorkerSeconds)
			}
			if p.OverTarget < oracle.OverTarget {
				t.Errorf("%s: with %s %.3f %% are over the target, fewer than service alone makes: %.3f %%", name, p.Name, 100*p.OverTarget, 100*oracle.OverTarget)
			}
		}
	}
}

func TestTheOracleNeverHasMoreThanThePoolMay(t *testing.T) {
	pools := []config.Pool{kind("p", func(p *config.Pool) { p.Workers.Max = 4 }, "*")}
	l, err := FromWorkload("steady", time.Minute, pools)
	if err != nil {
		t.Fatal(err)
	}
	r := of(t, simulated(t, Options{Load: l, Pools: pools, Policies: []string{oracleName}}), oracleName)
	if r.most > 4 || r.Avoidable == 0 {
		t.Errorf("%d workers at a time, %.2f avoidable: 5 are needed and 4 allowed", r.most, r.Avoidable)
	}
}

func TestARunThatIsInterruptedEndsWithTheCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	cancel(stop)
	if _, err := Run(ctx, Options{Load: fromWorkload(t, "steady", time.Hour)}); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

func TestALoadThatBreaksOffIsAnError(t *testing.T) {
	l := fromWorkload(t, "steady", time.Minute)
	broken := errors.New("disk on fire")
	inner := l.open
	l.open = func(seed uint64) (arrivals, error) {
		src, err := inner(seed)
		return &breaking{src, broken, 100}, err
	}
	if _, err := Run(t.Context(), Options{Load: l}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	l.open = func(uint64) (arrivals, error) { return nil, broken }
	if _, err := Run(t.Context(), Options{Load: l}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type breaking struct {
	arrivals
	err  error
	left int
}

func (b *breaking) next() (request, error) {
	if b.left--; b.left < 0 {
		return request{}, b.err
	}
	return b.arrivals.next()
}

func TestALoadWithoutARequestIsAnError(t *testing.T) {
	l := fromWorkload(t, "steady", time.Minute)
	l.open = func(uint64) (arrivals, error) { return nothing{}, nil }
	if _, err := Run(t.Context(), Options{Load: l}); err == nil || !strings.Contains(err.Error(), "not one request") {
		t.Errorf("%v", err)
	}
}

type nothing struct{}

func (nothing) next() (request, error) { return request{}, io.EOF }
func (nothing) close() error           { return nil }
