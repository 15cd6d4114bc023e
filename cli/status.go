package cli

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/spf13/cobra"

	"understudy/admin"
)

const watchPeriod = time.Second

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
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every second, until interrupted")
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

// watchStatus redraws the screen each second; where there is no screen, it prints one status after the other.
func (s session) watchStatus(ctx context.Context, client admin.Client) error {
	ticker := time.NewTicker(watchPeriod)
	defer ticker.Stop()
	for {
		status, err := client.Status(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if isTerminal(s.out) {
			if _, err := io.WriteString(s.out, "\x1b[H\x1b[2J"); err != nil {
				return err
			}
		}
		if err := admin.RenderStatus(s.out, status, width(s.out), s.colour(s.out)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
