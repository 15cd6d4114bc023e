package cli

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"understudy/app"
	"understudy/config"
	"understudy/driver"
)

// guardCommand is what a balancer runs beside itself; it is no use to a person and not shown.
func (s session) guardCommand() *cobra.Command {
	var o app.GuardOptions
	cmd := &cobra.Command{
		Use:    "guard",
		Short:  "Clean up after a balancer that died (run by the balancer itself)",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.Guard(cmd.Context(), os.Stdin, o, func(ctx context.Context) (driver.Driver, error) {
				cfg := config.Defaults()
				cfg.Driver, cfg.Instance = "docker", o.Instance
				return app.OpenDriver(ctx, cfg, app.DriverOptions{Log: slog.New(slog.DiscardHandler), Say: func(string) {}})
			})
		},
	}
	cmd.Flags().StringVar(&o.Instance, "instance", "", "whose containers")
	cmd.Flags().DurationVar(&o.Wait, "wait", time.Minute, "for a successor")
	cmd.Flags().StringVar(&o.LockDir, "lock-dir", "", "where instances are locked")
	return cmd
}
