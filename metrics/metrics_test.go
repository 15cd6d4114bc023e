package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"understudy/fleet"
)

// contract is every metric people may rely on, with exactly its labels in alphabetical order.
func contract() map[string]string {
	return map[string]string{
		"requests_total":                "capability,code,pool",
		"request_duration_seconds":      "capability,phase,pool",
		"requests_in_flight":            "pool",
		"queue_depth":                   "capability,pool",
		"workers":                       "pool,state",
		"workers_ejected":               "pool",
		"workers_outdated":              "pool",
		"rollouts_total":                "pool,result",
		"workers_desired":               "pool",
		"workers_bound":                 "bound,pool",
		"worker_start_duration_seconds": "pool",
		"worker_start_phase_seconds":    "phase,pool",
		"worker_starts_total":           "pool,result",
		"worker_stops_total":            "pool,reason",
		"worker_exits_total":            "pool,reason",
		"scale_decisions_total":         "direction,pool,reason",
		"latency_target_seconds":        "pool",
		"latency_target_ratio":          "pool",
		"latency_violations_total":      "cause,pool",
		"requests_shed_total":           "code,pool",
		"requests_lost_total":           "cause,pool",
		"ejections_total":               "pool",
		"worker_wake_duration_seconds":  "pool,result",
		"workers_asleep":                "pool",
		"connections_refused_total":     "step",
		"retries_total":                 "pool,reason",
		"ports":                         "state",
		"driver_errors_total":           "driver,op",
		"driver_up":                     "",
		"workers_stuck":                 "",
		"orphans_removed_total":         "",
		"reconcile_duration_seconds":    "",
		"config_last_reload_success":    "",
		"build_info":                    "goversion,version",
	}
}

const ms = time.Millisecond

// used yields metrics in which everything has happened once to the pool "general".
func used(t *testing.T) *Metrics {
	t.Helper()
	m := New("1.2.3")
	m.SetTargets(map[string]time.Duration{"general": 300 * ms})
	m.Collect(Sources{Pools: onePool, Ports: func() fleet.PortsStatus {
		return fleet.PortsStatus{From: 20000, To: 20063, Leased: 3, Free: 60, Quarantined: []fleet.PortTrouble{{Port: 20007}}}
	}, Goals: func(string) Goals { return Goals{Percentile: 95, Min: 1, Max: 8, Spare: 1} },
		Driver: func() (bool, int) { return true, 2 }, Outdated: func(string) int { return 2 }})
	m.Rollout("general", "rolled_back")
	m.Request("general", "mult", 200, 2*ms, 100*ms, 102*ms)
	m.Retry("general", "busy")
	m.Shed("general", "queue-full")
	m.Lost("general", "worker_failed")
	m.Ejected("general")
	m.Refused("tls")
	m.Started("general", 400*ms, "ok")
	m.StartPhase("general", "create", 100*ms)
	m.Drive("docker")
	m.Woken("general", 20*ms, "ok")
	m.Stopped("general", "scale_down")
	m.Exited("general", "oom")
	m.Decided("general", "up", "model")
	m.DriverError("docker", "start")
	m.Reconciled(4 * ms)
	m.Orphan()
	m.SetReload(true)
	return m
}

func onePool() []fleet.PoolStatus {
	return []fleet.PoolStatus{{
		Name: "general", Capabilities: []string{"mult"}, Target: 300 * ms, Desired: 3, InFlight: 2, Queues: map[string]int{"mult": 4},
		Workers: []fleet.WorkerStatus{{State: fleet.Active}, {State: fleet.Active, Ejected: 30 * time.Second}, {State: fleet.Spare}},
	}}
}

// sample is one series as it was gathered; value is the count of a histogram.
type sample struct {
	name, labels, help string // labels as "a=1,b=2", sorted by name
	value              float64
}

func gather(t *testing.T, m *Metrics) []sample {
	t.Helper()
	got, err := m.registry.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	var out []sample
	for _, f := range got {
		for _, series := range f.Metric {
			var labels []string
			for _, l := range series.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			s := sample{name: f.GetName(), labels: strings.Join(labels, ","), help: f.GetHelp()}
			switch {
			case series.Counter != nil:
				s.value = series.Counter.GetValue()
			case series.Histogram != nil:
				s.value = float64(series.Histogram.GetSampleCount())
			case series.Gauge != nil:
				s.value = series.Gauge.GetValue()
			}
			out = append(out, s)
		}
	}
	return out
}

// labelNames turns "a=1,b=2" into "a,b".
func labelNames(labels string) string {
	var names []string
	for l := range strings.SplitSeq(labels, ",") {
		name, _, _ := strings.Cut(l, "=")
		names = append(names, name)
	}
	return strings.Join(names, ",")
}

// value is the counter, gauge or number of samples with these labels, such as value(t, m, "workers", "pool=general,state=spare"), or -1.
func value(t *testing.T, m *Metrics, name, labels string) float64 {
	t.Helper()
	for _, s := range gather(t, m) {
		if s.name == namespace+"_"+name && s.labels == labels {
			return s.value
		}
	}
	return -1
}

func TestEveryMetricOfTheContractIsThereWithExactlyItsLabels(t *testing.T) {
	want, seen := contract(), map[string]bool{}
	for _, s := range gather(t, used(t)) {
		seen[s.name] = true
		short, ours := strings.CutPrefix(s.name, namespace+"_")
		if !ours {
			continue
		}
		if labels, ok := want[short]; !ok {
			t.Errorf("%s is not in the contract", s.name)
		} else if got := labelNames(s.labels); got != labels {
			t.Errorf("%s has the labels %q, want %q", s.name, got, labels)
		}
		if s.help == "" {
			t.Errorf("%s has no help", s.name)
		}
	}
	for name := range want {
		if !seen[namespace+"_"+name] {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "promhttp_metric_handler_errors_total"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestMetricsAreLintFree(t *testing.T) {
	problems, err := testutil.GatherAndLint(used(t).registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestGaugesShowWhatIsAtTheMomentOfTheScrape(t *testing.T) {
	m := used(t)
	for labels, want := range map[string]float64{
		"pool=general,state=active": 2, "pool=general,state=spare": 1, "pool=general,state=starting": 0, "pool=general,state=failed": 0,
		"pool=general,state=draining": 0, "pool=general,state=gone": -1,
	} {
		if got := value(t, m, "workers", labels); got != want {
			t.Errorf("workers{%s} = %v, want %v", labels, got, want)
		}
	}
	for name, want := range map[string]float64{"workers_desired": 3, "workers_ejected": 1, "workers_outdated": 2, "requests_in_flight": 2, "latency_target_seconds": 0.3, "latency_target_ratio": 0.95} {
		if got := value(t, m, name, "pool=general"); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	for bound, want := range map[string]float64{"min": 1, "max": 8, "spare": 1} {
		if got := value(t, m, "workers_bound", "bound="+bound+",pool=general"); got != want {
			t.Errorf("workers_bound{%s} = %v, want %v", bound, got, want)
		}
	}
	if got := value(t, m, "queue_depth", "capability=mult,pool=general"); got != 4 {
		t.Errorf("queue_depth = %v, want 4", got)
	}
	for state, want := range map[string]float64{"leased": 3, "free": 60, "quarantined": 1} {
		if got := value(t, m, "ports", "state="+state); got != want {
			t.Errorf("ports{%s} = %v, want %v", state, got, want)
		}
	}
	m.Collect(Sources{Pools: func() []fleet.PoolStatus { return nil }})
	if got := value(t, m, "workers_desired", "pool=general"); got != -1 {
		t.Errorf("a pool that is gone still shows workers_desired %v", got)
	}
}

func TestReloadShowsTheLastResult(t *testing.T) {
	m := New("dev")
	for _, step := range []struct {
		set  func()
		want float64
	}{{func() {}, 1}, {func() { m.SetReload(false) }, 0}, {func() { m.SetReload(true) }, 1}} {
		step.set()
		if got := value(t, m, "config_last_reload_success", ""); got != step.want {
			t.Errorf("config_last_reload_success = %v, want %v", got, step.want)
		}
	}
}
