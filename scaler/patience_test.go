package scaler

import (
	"testing"
	"time"

	"understudy/config"
	"understudy/scaler/policy"
)

func TestAnOverloadShortensNoWaitThatIsConfigured(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name                            string
		configured, start, policy, want time.Duration
	}{
		{"ten times the target", 0, 0, 0, 4 * time.Second},
		{"two starts", 0, 5 * time.Second, 0, 10 * time.Second},
		{"an overload", 0, 0, 150 * ms, 150 * ms},
		{"an overload with long tasks", 0, 0, time.Minute, 4 * time.Second},
		{"configured", 10 * time.Second, time.Minute, 0, 10 * time.Second},
		{"configured, and an overload", 10 * time.Second, 0, 150 * ms, 10 * time.Second},
		{"configured to be short, and an overload", 50 * ms, 0, 150 * ms, 50 * ms},
	} {
		pool := config.Pool{Target: config.Target{Latency: 400 * ms}, Queue: config.Queue{Wait: c.configured}}
		if got := Patience(pool, c.start, policy.Decision{Wait: c.policy}); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
