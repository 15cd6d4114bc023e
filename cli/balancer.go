package cli

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"understudy/app"
)

func (s session) balancerCommand() *cobra.Command {
	var f configFlags
	var logs logFlags
	cmd := &cobra.Command{
		Use:   "balancer",
		Short: "Run the balancer: route, scale, keep a spare",
		Long: `Run the balancer until SIGINT, SIGTERM or "understudy client quit". Without --config it runs the configuration inside the program
("understudy config print" shows it). SIGHUP or a changed file reloads targets, limits and bounds.

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
			logger, err := logs.logger(s)
			if err != nil {
				inherited.Fail(err)
				return err
			}
			cfg, source, watcher, err := f.load(s, cmd.Flags())
			if err != nil {
				inherited.Fail(err)
				return err
			}
			ctx, stop := s.stopBy(cmd.Context())
			defer stop()
			return s.runBalancer(ctx, app.Options{
				Config: cfg, Source: source, Watcher: watcher, Log: logger, Version: s.Version, Say: s.say,
				Inherited: inherited, Spawn: app.Spawn, Notify: os.Getenv("NOTIFY_SOCKET"),
			})
		},
	}
	f.register(cmd)
	logs.register(cmd)
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

// logFlags choose how much is logged and how.
type logFlags struct{ level, format string }

func (l *logFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&l.format, "log-format", "auto", "text, json, or auto: text on a terminal and JSON elsewhere")
}

func (l *logFlags) logger(s session) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level is %q: it must be debug, info, warn or error", l.level)}
	}
	options := &slog.HandlerOptions{Level: level}
	switch {
	case l.format == "json", l.format == "auto" && !isTerminal(s.err):
		return slog.New(slog.NewJSONHandler(s.err, options)), nil
	case l.format == "text", l.format == "auto":
		return slog.New(slog.NewTextHandler(s.err, options)), nil
	default:
		return nil, usageError{fmt.Errorf("--log-format is %q: it must be text, json or auto", l.format)}
	}
}
