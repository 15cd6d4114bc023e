package cli

import (
	"log/slog"
	"log/syslog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"understudy/app"
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
			hearing := deafen()
			open, err := app.FindEngine(o.Instance)
			if err != nil {
				return err
			}
			if err := os.Chdir("/"); err != nil { // the balancer's folder may be unmounted once that has ended
				return err
			}
			if app.SaidBye(os.Stdin) {
				return nil
			}
			hearing()
			o.Log = guardLog(o.Instance)
			return app.CleanUpAfter(cmd.Context(), o, open)
		},
	}
	cmd.Flags().StringVar(&o.Instance, "instance", "", "whose containers")
	cmd.Flags().IntVar(&o.Balancer, "of", os.Getppid(), "the balancer's process")
	cmd.Flags().DurationVar(&o.Wait, "wait", time.Minute, "for a successor")
	cmd.Flags().StringVar(&o.LockDir, "lock-dir", "", "where instances are locked")
	return cmd
}

// deafen has signals ignored that are not meant for a guard: whoever ends all processes of a group, or of this name, means the balancer, and when
// that ends, so does its guard. hearing undoes it.
func deafen() (hearing func()) {
	deaf := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	signal.Ignore(deaf...)
	return func() { signal.Reset(deaf...) }
}

// guardLog is the system's log, for want of another: the guard outlives the terminal and the pipes of its balancer. Without one nobody is told.
func guardLog(instance string) *slog.Logger {
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "understudy-guard")
	if err != nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, nil)).With("instance", instance)
}
