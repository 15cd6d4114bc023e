package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"understudy/admin"
)

func (s session) logsCommand() *cobra.Command {
	var from adminFlags
	var follow, raw bool
	cmd := &cobra.Command{
		Use:     "logs POOL",
		Short:   "Show what the workers of a pool print",
		Example: "  understudy logs general\n  understudy logs general -f\n  understudy logs general --raw | less -R",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("logs takes the name of one pool; see %s --help", cmd.CommandPath())}
			}
			return nil
		},
	}
	from.register(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what they print from now on")
	cmd.Flags().BoolVar(&raw, "raw", false, "as they print it: without this, what a terminal would obey instead of showing is spelled out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		client := admin.Client{Base: from.url(), Token: from.token(s.env)}
		if raw {
			return client.Logs(ctx, args[0], follow, s.out)
		}
		plain := admin.NewPlainWriter(s.out)
		return errors.Join(client.Logs(ctx, args[0], follow, plain), plain.Close())
	}
	return cmd
}
