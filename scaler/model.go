package scaler

import (
	"time"

	"understudy/config"
	"understudy/scaler/policy"
)

// What a model of the scaler must share with it, so that the two never drift apart.
const (
	Tick           = tick              // between two decisions
	ParallelStarts = maxParallelStarts // at a time, all pools together
)

// PolicyConfig is what the policy is told about a pool.
func PolicyConfig(c config.Pool) policy.Config { return policyConfig(c, 0) }

// StartTime is how long a start is taken to last: the 90th percentile of the last 10, which samples holds. 0 without any.
func StartTime(samples []time.Duration) time.Duration { return percentile90(samples) }
