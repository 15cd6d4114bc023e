package main

import (
	"context"
	"encoding/json"
	"fmt"

	"understudy/bench/stage"
	"understudy/client"
)

// runOurs runs `understudy client` and returns its report and what it cost.
func runOurs(ctx context.Context, binary, onCores string, args ...string) (*client.Report, stage.Outcome, error) {
	args = append([]string{binary, "client", "--quiet", "--no-verify", "--format", "json"}, args...)
	o, err := stage.Run(ctx, stage.Command{Name: "understudy client", Args: args, Cores: onCores})
	if err != nil {
		return nil, o, err
	}
	var r client.Report
	if err := json.Unmarshal([]byte(o.Out), &r); err != nil {
		return nil, o, fmt.Errorf("understudy client printed no report: %w\n%s", err, o.Out)
	}
	if r.Errors > 0 {
		return &r, o, fmt.Errorf("understudy client: %d of %d requests failed: %v", r.Errors, r.Count, r.ErrorSamples)
	}
	return &r, o, nil
}
