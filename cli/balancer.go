package cli

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"understudy/app"
	"understudy/tracing"
)

func (s session) balancerCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "balancer",
		Short: "Run the balancer: route, scale, keep a spare",
		Long: `Run the balancer until SIGINT, SIGTERM or "understudy client quit". Without --config it runs the configuration inside the program
("understudy config print" shows it). SIGHUP or a changed file reloads targets, limits and bounds, and
replaces the workers whose image or configuration changed.

SIGUSR2 replaces it without a gap: the program is started anew, as it is on the disk then and with the configuration as it is then, and takes
over listeners and workers. When that fails the old one goes on and says why. It also takes listeners from systemd ($LISTEN_FDS) and tells
systemd when it is ready ($NOTIFY_SOCKET).`,
		Example: "  understudy balancer\n  understudy balancer --config config.yaml --driver docker --instance blue",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inherited, err := app.Inherit()
			if err != nil {
				return err
			}
			cfg, source, watcher, err := f.load(s, cmd.Flags())
			if err != nil {
				inherited.Fail(err)
				return err
			}
			defer outlivePipes()()
			ctx, stop := s.stopBy(cmd.Context())
			defer stop()
			level, logger := s.logger(cfg.Log)
			traces, err := tracing.New(s.env, s.Version, cfg.Instance, logger)
			if err != nil {
				inherited.Fail(err)
				return usageError{err}
			}
			defer traces.Close()
			return s.runBalancer(ctx, app.Options{
				Config: cfg, Source: source, Watcher: watcher, Log: logger, Level: level, Access: s.access(cfg.Log, logger), Tracing: traces,
				Version: s.Version, Say: s.say, Inherited: inherited, Spawn: app.Spawn, Notify: os.Getenv("NOTIFY_SOCKET"),
			})
		},
	}
	f.register(cmd)
	f.registerLogs(cmd)
	return cmd
}

func (s session) runBalancer(ctx context.Context, o app.Options) error {
	a, err := app.New(ctx, o)
	if err != nil {
		return err
	}
	// net/http's Transport has no logger of its own for answers nobody asked for.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug).Writer())
	s.say(fmt.Sprintf("instance %s on %s: clients %s, status %s", o.Config.Instance, a.DriverName(), a.URL(), a.AdminURL()))
	return a.Run(ctx)
}

// say tells the person who started us one line.
func (s session) say(line string) { fmt.Fprintln(s.err, "understudy:", line) }
