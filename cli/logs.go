package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"understudy/admin"
)

func (s session) logsCommand() *cobra.Command {
	var from adminFlags
	var follow bool
	cmd := &cobra.Command{
		Use:     "logs POOL",
		Short:   "Show what the workers of a pool print",
		Example: "  understudy logs general\n  understudy logs general -f",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("logs takes the name of one pool; see %s --help", cmd.CommandPath())}
			}
			return nil
		},
	}
	from.register(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what they print from now on")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		return admin.Client{Base: from.url(), Token: from.token(s.env)}.Logs(ctx, args[0], follow, s.out)
	}
	return cmd
}
