package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestARequestIsCountedAndTimedByPhase(t *testing.T) {
	const labels = "capability=mult,code=%d,pool=general"
	cases := []struct {
		name                  string
		code                  int
		queue, service, total time.Duration
		timed                 map[string]float64 // samples by phase
		violation             string
	}{
		{"an answer in time", 200, 1 * ms, 100 * ms, 101 * ms, map[string]float64{"queue": 1, "service": 1, "total": 1}, ""},
		{"exactly the target is in time", 200, 200 * ms, 100 * ms, 300 * ms, map[string]float64{"queue": 1, "service": 1, "total": 1}, ""},
		{"late because it waited", 200, 250 * ms, 100 * ms, 350 * ms, map[string]float64{"queue": 1, "service": 1, "total": 1}, "queue"},
		{"late because the worker was slow", 200, 1 * ms, 400 * ms, 401 * ms, map[string]float64{"queue": 1, "service": 1, "total": 1}, "service"},
		{"refused after a long wait", 503, 3 * time.Second, -1, 3 * time.Second, map[string]float64{"queue": 1, "service": 0, "total": 0}, "queue"},
		{"refused at once", 503, 0, -1, 0, map[string]float64{"queue": 1, "service": 0, "total": 0}, ""},
		{"the client left", 499, 2 * time.Second, 1 * time.Second, 3 * time.Second, map[string]float64{"queue": 0, "service": 0, "total": 0}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := New("dev")
			m.SetTargets(map[string]time.Duration{"general": 300 * ms})
			m.Request("general", "mult", c.code, c.queue, c.service, c.total)
			if got := value(t, m, "requests_total", fmt.Sprintf(labels, c.code)); got != 1 {
				t.Errorf("requests_total{%d} = %v, want 1", c.code, got)
			}
			for phase, want := range c.timed {
				if got := value(t, m, "request_duration_seconds", "capability=mult,phase="+phase+",pool=general"); got != want {
					t.Errorf("%s has %v samples, want %v", phase, got, want)
				}
			}
			for _, cause := range []string{"queue", "service"} {
				want := 0.0
				if cause == c.violation {
					want = 1
				}
				if got := value(t, m, "latency_violations_total", "cause="+cause+",pool=general"); got != want {
					t.Errorf("violations by %s = %v, want %v", cause, got, want)
				}
			}
		})
	}
}

func TestEventsOfTheScalerAreCounted(t *testing.T) {
	m := used(t)
	m.Started("general", time.Second, "timeout")
	for labels, want := range map[string]float64{
		"worker_starts_total{pool=general,result=ok}":                          1,
		"worker_starts_total{pool=general,result=timeout}":                     1,
		"worker_starts_total{pool=general,result=failed}":                      0,
		"worker_start_duration_seconds{pool=general}":                          1, // the good one alone
		"worker_starts_total{pool=general,result=engine}":                      0,
		"worker_start_phase_seconds{phase=create,pool=general}":                1,
		"worker_stops_total{pool=general,reason=scale_down}":                   1,
		"rollouts_total{pool=general,result=rolled_back}":                      1,
		"rollouts_total{pool=general,result=done}":                             0,
		"worker_exits_total{pool=general,reason=oom}":                          1,
		"worker_exits_total{pool=general,reason=hung}":                         0,
		"scale_decisions_total{direction=up,pool=general,reason=model}":        1,
		"driver_errors_total{driver=docker,op=start}":                          1,
		"driver_errors_total{driver=docker,op=stop}":                           0,
		"requests_shed_total{code=no-worker,pool=general}":                     0,
		"retries_total{pool=general,reason=reset}":                             0,
		"retries_total{pool=general,reason=busy}":                              1,
		"requests_shed_total{code=queue-full,pool=general}":                    1,
		"requests_lost_total{cause=worker_failed,pool=general}":                1,
		"connections_refused_total{step=tls}":                                  1,
		"connections_refused_total{step=client}":                               0,
		"requests_lost_total{cause=scale_down,pool=general}":                   0, // there from the beginning
		"ejections_total{pool=general}":                                        1,
		"request_duration_seconds{capability=mult,phase=service,pool=general}": 1,
	} {
		name, rest, _ := strings.Cut(labels, "{")
		if got := value(t, m, name, strings.TrimSuffix(rest, "}")); got != want {
			t.Errorf("%s = %v, want %v", labels, got, want)
		}
	}
}

func TestHostileInputAddsOnlyABoundedNumberOfSeries(t *testing.T) {
	m := used(t)
	before := len(gather(t, m))
	for i := range 5000 {
		evil := fmt.Sprintf("evil-%d \"}\n\xff", i)
		m.Request(evil, evil, i, ms, ms, ms)
		m.Request("general", evil, 1000+i, ms, ms, ms)
		m.Request("general", fmt.Sprintf("cap%d", i), 200+i%400, ms, ms, ms)
		m.Retry(evil, evil)
		m.Shed("general", evil)
		m.Lost("general", fmt.Sprintf("word%d", i))
		m.Refused(fmt.Sprintf("step%d", i))
		m.Started(evil, ms, fmt.Sprintf("result%d", i))
		m.StartPhase("general", fmt.Sprintf("phase%d", i), ms)
		m.Woken("general", ms, fmt.Sprintf("result%d", i))
		m.Stopped("general", evil)
		m.Exited("general", evil)
		m.Decided("general", fmt.Sprint(i), fmt.Sprint("r", i))
		m.DriverError(fmt.Sprint("d", i), evil)
		m.Forget(evil)
	}
	added := len(gather(t, m)) - before
	// 64 capabilities and "other", each with 3 phases and at most the codes that have a name; 33 words a label
	const codes = 70
	if limit := 66*(3+codes) + 3*33 + 33*33 + 8*33; added > limit {
		t.Errorf("%d series were added, at most %d may be", added, limit)
	}
	for _, counted := range []*tally{m.retries, m.shed, m.lost, m.starts, m.stops, m.exits} {
		if n := len(*counted.table.Load()); n > 2*maxWords {
			t.Errorf("%s keeps %d counters at hand", counted.name, n)
		}
	}
	if got := value(t, m, "requests_total", "capability=other,code=other,pool=other"); got <= 0 {
		t.Errorf("requests of unknown pools are not counted as other: %v", got)
	}
	for _, s := range gather(t, m) {
		if strings.Contains(s.labels, "\n") || strings.Contains(s.labels, "pool=evil") {
			t.Fatalf("%s has the labels %q", s.name, s.labels)
		}
	}
}

func TestAForgottenPoolLeavesNothingAndStaysForgotten(t *testing.T) {
	m := used(t)
	stale := m.seriesOf("general", "mult")
	m.Forget("general")
	stale.count(m, 418) // a request that was under way while the pool went
	m.Request("general", "mult", 200, ms, ms, ms)
	m.Lost("general", "worker_failed")
	m.Shed("general", "queue-full")
	m.Retry("general", "busy")
	m.Started("general", ms, "ok")
	m.StartPhase("general", "ready", ms)
	m.Woken("general", ms, "ok")
	m.Stopped("general", "failed")
	m.Exited("general", "hung")
	m.Collect(Sources{})
	for _, s := range gather(t, m) {
		if strings.Contains(s.labels, "pool=general") {
			t.Errorf("%s still has %q", s.name, s.labels)
		}
	}
	if got := value(t, m, "requests_total", "capability=other,code=200,pool=other"); got != 1 {
		t.Errorf("the late request counts %v as other, want 1", got)
	}
}

func TestAReloadKeepsWhatStaysAndForgetsWhatWent(t *testing.T) {
	m := New("dev")
	m.SetTargets(map[string]time.Duration{"general": 300 * ms, "old": ms})
	m.Request("general", "mult", 200, 0, 100*ms, 100*ms)
	m.Request("old", "add", 200, 0, ms, ms)
	stale := m.seriesOf("general", "mult")
	m.SetTargets(map[string]time.Duration{"general": 50 * ms, "new": ms})
	m.Request("general", "mult", 200, 0, 100*ms, 100*ms)
	stale.count(m, 404) // begun before the reload, ended after it
	for labels, want := range map[string]float64{
		"requests_total{capability=mult,code=200,pool=general}": 2,
		"requests_total{capability=mult,code=404,pool=general}": 1,
		"requests_total{capability=add,code=200,pool=old}":      -1,
		"latency_violations_total{cause=service,pool=general}":  1, // by the new target
		"latency_violations_total{cause=queue,pool=new}":        0,
		"latency_violations_total{cause=queue,pool=old}":        -1,
		"requests_lost_total{cause=scale_down,pool=new}":        0,
		"ejections_total{pool=new}":                             0,
	} {
		name, rest, _ := strings.Cut(labels, "{")
		if got := value(t, m, name, strings.TrimSuffix(rest, "}")); got != want {
			t.Errorf("%s = %v, want %v", labels, got, want)
		}
	}
}

func TestAPoolThatComesBackIsCountedFromZero(t *testing.T) {
	m := New("dev")
	m.SetTargets(map[string]time.Duration{"general": 300 * ms})
	m.Shed("general", "queue-full")
	m.SetTargets(nil)
	m.Shed("general", "queue-full")
	m.SetTargets(map[string]time.Duration{"general": 300 * ms})
	m.Shed("general", "queue-full")
	for _, pool := range []string{"general", "other"} {
		if got := value(t, m, "requests_shed_total", "code=queue-full,pool="+pool); got != 1 {
			t.Errorf("requests_shed_total{pool=%s} = %v, want 1", pool, got)
		}
	}
}

func TestAPoolMayBeNamedOther(t *testing.T) {
	m := New("dev")
	m.SetTargets(map[string]time.Duration{"other": 300 * ms})
	m.Request("other", "pdf", 200, 0, ms, ms)
	if got := value(t, m, "requests_total", "capability=pdf,code=200,pool=other"); got != 1 {
		t.Errorf("requests_total = %v, want 1", got)
	}
}

func TestScrapingWhileEverythingIsRecorded(t *testing.T) {
	m := used(t)
	const each = 300
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range each {
				m.Request("general", fmt.Sprint("c", i%8), 200+g, ms, ms, ms)
				m.Started("general", ms, "ok")
				m.Decided("general", "up", "model")
				m.Shed("temporary", "queue-full")
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			m.SetTargets(map[string]time.Duration{"general": 300 * ms, "temporary": ms})
			m.Forget("temporary")
		}
	})
	for range 2 {
		wg.Go(func() {
			for range 10 {
				rec := httptest.NewRecorder()
				m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				if rec.Code != http.StatusOK {
					t.Errorf("scrape: status %d: %s", rec.Code, rec.Body)
				}
			}
		})
	}
	wg.Wait()
	total := 0.0
	for _, s := range gather(t, m) {
		if s.name == namespace+"_requests_total" {
			total += s.value
		}
	}
	if total != 4*each+1 {
		t.Errorf("%v requests counted, want %d: none may be lost to a reload", total, 4*each+1)
	}
}
