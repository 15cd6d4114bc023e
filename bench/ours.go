package main

import (
	"context"
	"encoding/json"
	"fmt"

	"understudy/bench/stage"
	"understudy/client"
)

// runOurs runs `understudy client` and returns its report and its largest resident memory in bytes.
func runOurs(ctx context.Context, binary, onCores string, args ...string) (*client.Report, int64, error) {
	args = append([]string{binary, "client", "--quiet", "--no-verify", "--format", "json"}, args...)
	out, peak, err := stage.Run(ctx, stage.Command{Name: "understudy client", Args: args, Cores: onCores})
	if err != nil {
		return nil, 0, err
	}
	var r client.Report
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, 0, fmt.Errorf("understudy client printed no report: %w\n%s", err, out)
	}
	if r.Errors > 0 {
		return &r, peak, fmt.Errorf("understudy client: %d of %d requests failed: %v", r.Errors, r.Count, r.ErrorSamples)
	}
	return &r, peak, nil
}
