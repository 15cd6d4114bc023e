package cli

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"understudy/admin"
)

func (s session) statusCommand() *cobra.Command {
	var from adminFlags
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show pools, workers, the spare, ports, queue, and latency against the target",
		Example: "  understudy status\n  understudy status --json\n  understudy status --watch",
		Args:    noArgs,
	}
	from.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for programs")
	cmd.Flags().BoolVar(&watch, "watch", false, "live, until interrupted; where there is no terminal, again every two seconds")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := exclusive(cmd, "json", "watch"); err != nil {
			return err
		}
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		client := admin.Client{Base: from.url(), Token: from.token(s.env)}
		if watch {
			return s.watchStatus(ctx, client)
		}
		status, err := client.Status(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(s.out, status)
		}
		return admin.RenderStatus(s.out, status, width(s.out), s.colour(s.out))
	}
	return cmd
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
