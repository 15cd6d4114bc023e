package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"understudy/app"
	"understudy/config"
	"understudy/driver"
)

func (s session) cleanupCommand() *cobra.Command {
	var f configFlags
	var dryRun, force bool
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove everything an instance left on the engine",
		Long: `Remove every container and network that carries the label of this instance, and worker images of ours that nothing uses.
Nothing without our label is touched. A balancer that runs is not disturbed: end it first.`,
		Example: "  understudy cleanup --instance default --dry-run\n  understudy cleanup --instance demo",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&f.file, "config", "", "YAML file (default: the configuration inside the program)")
	cmd.Flags().String("driver", "", "what runs workers: auto, docker or process")
	cmd.Flags().String("instance", "", "whose leftovers")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be removed")
	cmd.Flags().BoolVar(&force, "force", false, "also while a balancer of this instance runs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(f.source(s, cmd.Flags()))
		if err != nil {
			return err
		}
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		d, err := app.OpenDriver(ctx, cfg, app.DriverOptions{Log: slog.New(slog.DiscardHandler), Say: s.say})
		if err != nil {
			return err
		}
		defer d.Close()
		sweeper, ok := d.(driver.Sweeper)
		if !ok {
			s.say(fmt.Sprintf("the %s driver leaves nothing behind", d.Name()))
			return nil
		}
		if !dryRun && !force {
			lock, err := app.AwaitLock(ctx, app.LockDir(), d.Name(), cfg.Instance, "cleanup", func() {
				s.say("the guard of a balancer that died is cleaning up: waiting for it")
			})
			var locked *app.LockedError
			if errors.As(err, &locked) {
				return fmt.Errorf("%w; or clean up under it with --force", err)
			}
			if err != nil {
				return err
			}
			defer lock.Release()
		}
		return s.sweep(ctx, sweeper, cfg.Instance, dryRun)
	}
	return cmd
}

// sweep removes and prints, one line for each thing. What a dry run prints is the same, so it says that it is one.
func (s session) sweep(ctx context.Context, sweeper driver.Sweeper, instance string, dryRun bool) error {
	lines, err := sweeper.Sweep(ctx, dryRun)
	for _, line := range lines {
		fmt.Fprintln(s.out, line)
	}
	switch {
	case err == nil && len(lines) == 0:
		s.say(fmt.Sprintf("nothing of instance %q is left", instance))
	case dryRun && len(lines) > 0:
		s.say("nothing was removed; without --dry-run this would be, unless a balancer of this instance runs")
	}
	return err
}
