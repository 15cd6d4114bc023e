//go:build figures

package simulate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"understudy/config"
)

// The figures of the scaling policy: `make bench-policy`, and with TRACES=dir also for the traces in that folder.

const benchSeeds = 3

// score is what a policy comes to on one load: means over the seeds.
type score struct{ over, avoidable, workers, vsOracle, starts, p99, most float64 }

// scores are those of all policies on all loads, by policy and load.
type scores map[string]map[string]score

func (s scores) add(load string, r *Report) {
	for _, p := range r.Policies {
		if s[p.Name] == nil {
			s[p.Name] = map[string]score{}
		}
		at := s[p.Name][load]
		at.over += p.OverTarget / benchSeeds
		at.avoidable += p.Avoidable / benchSeeds
		at.workers += p.WorkerSeconds / r.length.Seconds() / benchSeeds
		at.vsOracle += p.VsOracle / benchSeeds
		at.starts += float64(p.Starts) / benchSeeds
		at.p99 += p.P99 / benchSeeds
		at.most = max(at.most, float64(p.most))
		s[p.Name][load] = at
	}
}

// mean is over the loads.
func (s scores) mean(policy string, of func(score) float64) float64 {
	sum := 0.0
	for _, at := range s[policy] {
		sum += of(at)
	}
	return sum / float64(len(s[policy]))
}

// beats: more than 10 % better both in avoidable misses, and that by more than 0.1 points, and in workers.
func (a score) beats(b score) bool {
	return a.avoidable < 0.9*b.avoidable && a.avoidable < b.avoidable-0.001 && a.workers < 0.9*b.workers
}

// print writes a table, a column for each load, and returns where a policy beats ours.
func (s scores) print(loads []string, cell func(score) string, means bool) (beaten []string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s\t", strings.Join(loads, "\t"))
	if means {
		fmt.Fprint(w, "mean: over\tx oracle\tstarts\tp99\t")
	}
	fmt.Fprintln(w)
	for _, policy := range AllPolicies() {
		fmt.Fprint(w, policy, "\t")
		for _, load := range loads {
			at, mark := s[policy][load], ""
			if policy != oracleName && at.beats(s["understudy"][load]) {
				mark = " !"
				beaten = append(beaten, policy+" on "+load)
			}
			fmt.Fprint(w, cell(at), mark, "\t")
		}
		if means {
			fmt.Fprintf(w, "%.2f %%\t%.2f\t%.0f\t%.0f ms\t", 100*s.mean(policy, func(a score) float64 { return a.over }),
				s.mean(policy, func(a score) float64 { return a.vsOracle }), s.mean(policy, func(a score) float64 { return a.starts }),
				s.mean(policy, func(a score) float64 { return a.p99 }))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return beaten
}

// verdict says whether a figure is met.
func verdict(t *testing.T, met bool, format string, args ...any) {
	word := "met:   "
	if !met {
		word = "MISSED:"
		t.Fail()
	}
	fmt.Println(word, fmt.Sprintf(format, args...))
}

func TestFigureWorkloads(t *testing.T) {
	all := scores{}
	for _, name := range Workloads() {
		for seed := range benchSeeds {
			all.add(name, simulated(t, Options{Load: fromWorkload(t, name, 0), Seed: uint64(seed + 1)}))
		}
	}
	fmt.Printf("\nEight workloads of 15 min, %d seeds, target 300 ms, starts of 0.4 to 0.8 s, four at a time: over target %% / workers / starts.\n"+
		"\"!\" marks a policy that is better than understudy by more than 10 %% both in avoidable misses and in workers.\n\n", benchSeeds)
	beaten := all.print(Workloads(), func(a score) string { return fmt.Sprintf("%.2f/%.2f/%.0f", 100*a.over, a.workers, a.starts) }, true)
	fmt.Println()
	over := 100 * all.mean("understudy", func(a score) float64 { return a.over })
	cost := all.mean("understudy", func(a score) float64 { return a.vsOracle })
	starts := all.mean("understudy", func(a score) float64 { return a.starts })
	verdict(t, over <= 1.45, "mean share over target %.2f %%, at most 1.45 %%", over)
	verdict(t, cost <= 2.05, "worker-seconds %.2f times the oracle's, at most 2.05", cost)
	verdict(t, starts <= 30, "%.1f starts, at most 30", starts)
	verdict(t, len(beaten) == 0, "no policy beats understudy on any workload; these do: %q", beaten)
}

func TestFigureTraces(t *testing.T) {
	folder := os.Getenv("TRACES")
	if folder == "" {
		fmt.Println("\nNo traces: say TRACES=dir to see them too.")
		return
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no .csv in %s: %v", folder, err)
	}
	all := scores{}
	var names []string
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".csv")
		pools := DefaultPools()
		if !strings.HasSuffix(name, "elb") { // those with durations, which are longer
			pools[0].Target.Latency = 2 * time.Second
		}
		names = append(names, name)
		l, err := FromTrace(path, 0, pools)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range benchSeeds {
			all.add(name, simulated(t, Options{Load: l, Pools: pools, Seed: uint64(seed + 1)}))
		}
	}
	fmt.Printf("\nTraces, target 2 s (elb 300 ms): avoidable %% / workers / starts.\n\n")
	beaten := all.print(names, func(a score) string { return fmt.Sprintf("%.2f/%.2f/%.0f", 100*a.avoidable, a.workers, a.starts) }, false)
	fmt.Println()
	verdict(t, len(beaten) == 0, "no policy beats understudy on any trace; these do: %q", beaten)
	for _, name := range names {
		us, them := all["understudy"][name], all["kpa+1"][name]
		verdict(t, us.avoidable <= them.avoidable && us.workers <= them.workers, "%s: avoidable %.2f %% with %.2f workers, kpa+1 %.2f %% with %.2f",
			name, 100*us.avoidable, us.workers, 100*them.avoidable, them.workers)
	}
}

// At 112 % of what 8 workers can do, the queue must not make everybody late: capacity allows for about 89 %.
func TestFigureOverload(t *testing.T) {
	pools := DefaultPools()
	pools[0].Workers.Max = 8
	l := workload{name: "overload", rate: steadily(90)}.load(5*time.Minute, config.Wildcard)
	fmt.Println("\nOverload: 90/s of 100 ms on 8 workers at most.")
	r := simulated(t, Options{Load: l, Pools: pools, Seed: 1, Policies: []string{"understudy"}})
	us := of(t, r, "understudy")
	verdict(t, us.OverTarget <= 0.20, "%.1f %% answered within the target, at least 80 %%", 100*(1-us.OverTarget))
}

// More workers do not make more CPU.
func TestFigureCPUBound(t *testing.T) {
	l := workload{name: "cpu-bound", rate: steadily(30)}.load(5*time.Minute, config.Wildcard)
	fmt.Println("\nCPU-bound work: 30/s of 100 ms on two cores, 64 workers at most.")
	r := simulated(t, Options{Load: l, Seed: 1, Cores: 2, Policies: slices.DeleteFunc(AllPolicies(), func(n string) bool { return n == oracleName })})
	for _, p := range r.Policies {
		fmt.Printf("  %-12s %d workers at most\n", p.Name, p.most)
	}
	us := of(t, r, "understudy")
	verdict(t, us.most <= 12, "%d workers at most, 12 allowed", us.most)
}
