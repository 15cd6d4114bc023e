package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"understudy/app"
	"understudy/client"
	"understudy/config"
)

// demoFlags are the balancer's, and how much load to make.
type demoFlags struct {
	config   configFlags
	duration time.Duration
	rate     float64
	verbose  bool
}

func (s session) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a balancer, a stepped load and the report in one terminal",
		Long: `Start a balancer, send a load that is low, high, and low again, show the workers come and go, print the report, drain, and leave nothing
behind. Workers are containers where there is a Docker engine, local processes where there is none.`,
		Example: "  understudy demo\n  understudy demo --duration 2m --rate 60",
		Args:    noArgs,
	}
	f.config.register(cmd)
	cmd.Flags().DurationVar(&f.duration, "duration", time.Minute, "how long the load lasts")
	cmd.Flags().Float64Var(&f.rate, "rate", 40, "requests per second at the peak")
	cmd.Flags().BoolVar(&f.verbose, "log", false, "show the balancer's log too")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.duration < time.Second || f.rate <= 0 {
			return usageError{errors.New("--duration must be at least 1s and --rate more than 0")}
		}
		source := f.config.source(s, cmd.Flags())
		if _, given := source.Overrides["instance"]; !given && s.getenv("UNDERSTUDY_INSTANCE") == "" && source.File == "" {
			source.Overrides["instance"] = "demo"
		}
		cfg, err := config.Load(source)
		if err != nil {
			return err
		}
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		return s.runDemo(ctx, f, cfg, source)
	}
	return cmd
}

func (s session) runDemo(ctx context.Context, f demoFlags, cfg *config.Config, source config.Source) error {
	mix := demoMix(cfg)
	if mix == nil {
		return errors.New("no pool of this configuration has the capability mult or add, which is what the demo asks for; use `understudy client` for your own")
	}
	log := slog.New(slog.DiscardHandler)
	if f.verbose {
		log = slog.New(slog.NewTextHandler(s.err, nil))
	}
	a, err := app.New(ctx, app.Options{Config: cfg, Source: source, Log: log, Version: s.Version, Say: s.say})
	if err != nil {
		return err
	}
	s.say(fmt.Sprintf("demo on %s: clients %s, dashboard and status %s", a.DriverName(), a.URL(), a.AdminURL()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.WithoutCancel(ctx)) }()
	report, err := s.demoLoad(ctx, f, a, mix, ended)
	s.say("draining")
	a.Quit()
	if runErr := <-ended; err == nil {
		err = runErr
	}
	if err != nil {
		return err
	}
	if report.Interrupted {
		return interruptedError{}
	}
	s.say("every worker is gone")
	return nil
}

// demoLoad waits for the first workers, makes the load, shows both, and prints the report.
func (s session) demoLoad(ctx context.Context, f demoFlags, a *app.App, mix client.Mix, ended chan error) (*client.Report, error) {
	if err := awaitReady(ctx, a, ended); err != nil {
		return nil, err
	}
	s.say(fmt.Sprintf("load for %v: %.0f/s, then %.0f/s, then %.0f/s again; each letter is a worker: # active, o spare, . starting, - leaving",
		f.duration, f.rate/5, f.rate, f.rate/5))
	stage := newStage(s.err, isTerminal(s.err), a.Status)
	o := client.Options{Target: a.URL(), Rate: f.rate, Shape: client.ShapeStep, Duration: f.duration, Mix: mix, Seed: 1}
	if strings.HasPrefix(o.Target, "https:") {
		o.TLS = &tls.Config{InsecureSkipVerify: true} // the balancer is this process, and its certificate names another host than the address
	}
	report, err := client.Run(ctx, o, stage)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(s.err)
	return report, report.WriteText(s.out, s.colour(s.out))
}

// demoMix asks for whichever of mult and add there is.
func demoMix(cfg *config.Config) client.Mix {
	var mix client.Mix
	for _, capability := range []string{"mult", "add"} {
		for _, p := range cfg.Pools {
			if p.BuiltIn() && contains(p.Capabilities, capability) {
				mix = append(mix, client.Share{Capability: capability, Weight: 1})
				break
			}
		}
	}
	return mix
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// awaitReady returns when every pool has its minimum or cannot have it.
func awaitReady(ctx context.Context, a *app.App, ended chan error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, _ := a.Ready(); ok {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-ended:
			ended <- nil
			if err == nil {
				err = errors.New("the balancer was asked to end before the demo began")
			}
			return err
		}
	}
}
