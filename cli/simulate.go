package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"understudy/config"
	"understudy/simulate"
	"understudy/worker"
)

// simulateFlags are the flags of `simulate` as a person gives them.
type simulateFlags struct {
	trace, workload string
	config          string
	policies        string
	start           worker.Range
	duration        time.Duration
	target          time.Duration
	seed            uint64
	format, output  string
	json            bool
}

func (s session) simulateCommand() *cobra.Command {
	start := simulate.DefaultStart()
	f := simulateFlags{start: worker.Range{Min: start.Min, Max: start.Max}}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play arrivals through the scaling policy and others, in virtual time",
		Long: `Play the arrivals of a CSV file, or of a synthetic workload, through the queue and the scaling policy the balancer runs, and through others for comparison.
Nothing is started; an hour takes seconds. Without --config there is one pool as shipped, with room for 64 workers, that takes every kind of request; requests
without a duration take 100 ms on average (lognormal, sigma 0.5).

Policies: ` + strings.Join(simulate.AllPolicies(), ", ") + `, and fixed=N for N workers that never change. The oracle knows what will come;
worker-seconds are compared with what it needs. "avoidable" are requests over the target though their service alone was within it; "no spare" is the time in
which neither a spare nor an idle worker stood ready.`,
		Example: `  understudy simulate --workload spike
  understudy simulate --trace arrivals.csv --config config.yaml --policy understudy,fixed=8,oracle
  understudy simulate --workload step --format html -o step.html`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			ctx, stop := s.stopBy(cmd.Context())
			defer stop()
			return s.runSimulate(ctx, f)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *simulateFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.trace, "trace", "", "CSV file of arrivals: t[,duration_ms][,kind]")
	fs.StringVar(&f.workload, "workload", "", "a synthetic one instead: "+strings.Join(simulate.Workloads(), ", "))
	fs.StringVar(&f.config, "config", "", "YAML file with the pools (default: one pool for everything)")
	fs.StringVar(&f.policies, "policy", "all", "which policies, with commas between them")
	fs.Var(&f.start, "start-time", "how long a worker takes to start")
	fs.DurationVar(&f.duration, "duration", 0, "of a workload (default 15m), or end a trace after so long")
	fs.DurationVar(&f.target, "target", 0, "latency target of the pool there is without --config (default 300ms)")
	fs.Uint64Var(&f.seed, "seed", 1, "of the random choices: the same seed gives the same result")
	fs.StringVar(&f.format, "format", "text", "of the report: text, json, html, or svg for the pictures alone")
	fs.BoolVar(&f.json, "json", false, "the same as --format json")
	fs.StringVarP(&f.output, "output", "o", "", "FILE for the report (default standard output)")
}

// check finds what the flags alone tell to be wrong.
func (f *simulateFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	wrong := func(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
	if f.json && !given("format") {
		f.format = "json"
	}
	switch {
	case given("trace") == given("workload"):
		return wrong("simulate needs either --trace FILE.csv or --workload NAME; see %s --help", cmd.CommandPath())
	case given("duration") && (f.duration <= 0 || f.duration > longestSimulation):
		return wrong("--duration is %v: it must be more than 0 and at most a week", f.duration)
	case given("target") && given("config"):
		return wrong("--target and --config exclude each other: the configuration has the target")
	case given("target") && (f.target < time.Millisecond || f.target > time.Hour):
		return wrong("--target is %v: it must be 1ms to 1h", f.target)
	case !slices.Contains([]string{"text", "json", "html", "svg"}, f.format):
		return wrong("--format is %q: it must be text, json, html or svg", f.format)
	case f.json && f.format != "json":
		return wrong("--json and --format %s exclude each other", f.format)
	}
	return nil
}

const longestSimulation = 7 * 24 * time.Hour

func (s session) runSimulate(ctx context.Context, f simulateFlags) (err error) {
	o, err := f.options(s)
	if err != nil {
		return err
	}
	out, err := s.reportTo(f.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	report, err := simulate.Run(ctx, o)
	switch {
	case ctx.Err() != nil:
		return interruptedError{}
	case err != nil:
		return usageError{err}
	}
	switch f.format {
	case "json":
		return report.WriteJSON(out)
	case "html":
		return report.WriteHTML(out)
	case "svg":
		return report.WriteSVG(out)
	default:
		return report.WriteText(out)
	}
}

// options reads what the flags name. Whatever is wrong with it is wrong use.
func (f *simulateFlags) options(s session) (simulate.Options, error) {
	o := simulate.Options{Pools: simulate.DefaultPools(), Start: simulate.Range(f.start), Seed: f.seed}
	o.Pools[0].Target.Latency = cmp.Or(f.target, o.Pools[0].Target.Latency)
	if f.config != "" {
		cfg, err := config.Load(config.Source{File: f.config, Default: s.Config, Env: s.env})
		if err != nil {
			return o, err
		}
		o.Pools = cfg.Pools
	}
	var err error
	if o.Policies, err = simulate.ParsePolicies(f.policies); err != nil {
		return o, usageError{fmt.Errorf("--policy: %w", err)}
	}
	if f.trace != "" {
		o.Load, err = simulate.FromTrace(f.trace, f.duration, o.Pools)
	} else {
		o.Load, err = simulate.FromWorkload(f.workload, f.duration, o.Pools)
	}
	if err != nil {
		return o, usageError{err}
	}
	return o, nil
}
