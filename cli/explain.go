package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"understudy/admin"
)

func (s session) explainCommand() *cobra.Command {
	var from adminFlags
	var asJSON bool
	var n int
	cmd := &cobra.Command{
		Use:     "explain",
		Short:   "Show the last scaling decisions and why each was taken",
		Example: "  understudy explain -n 5",
		Args:    noArgs,
	}
	from.register(cmd)
	cmd.Flags().IntVarP(&n, "last", "n", 20, "how many decisions, 1 to 1000")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with every input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if n < 1 || n > 1000 {
			return usageError{errors.New("-n must be 1 to 1000")}
		}
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		decisions, err := admin.Client{Base: from.url(), Token: from.token(s.env)}.Decisions(ctx, n)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(s.out, decisions)
		}
		return admin.RenderDecisions(s.out, decisions, width(s.out), s.colour(s.out))
	}
	return cmd
}
