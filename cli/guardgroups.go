package cli

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"understudy/app"
)

// guardGroupsCommand is what a balancer of local processes runs beside itself; it is no use to a person and not shown.
func (s session) guardGroupsCommand() *cobra.Command {
	var instance string
	cmd := &cobra.Command{
		Use:    app.GuardGroupsCommand,
		Short:  "End what the workers of a balancer that died have started (run by the balancer itself)",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !isPipe(os.Stdin) { // what a person types must kill nobody
				return usageError{fmt.Errorf("%s is run by a balancer, which tells it on a pipe what to guard", cmd.CommandPath())}
			}
			deafen()
			if err := os.Chdir("/"); err != nil { // the balancer's folder may be unmounted once that has ended
				return err
			}
			left := app.GroupsLeft(os.Stdin)
			left.Kill()
			if n := len(left.Groups); n > 0 { // not before: the system's log may keep us waiting
				guardLog(instance).Warn("the balancer has died, its workers were ended", slog.Int("groups", n))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&instance, "instance", "", "whose workers")
	return cmd
}

func isPipe(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}
