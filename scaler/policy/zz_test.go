package policy_test

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestZZ(t *testing.T) {
	for _, v := range []struct {
		name string
		c    func(*conditions)
	}{
		{"adaptive 1..10 (1.29)", func(c *conditions) { c.cfg.SpareMax = 10 }},
		{"spare 0 (2.22+)", func(c *conditions) { c.cfg.Spare, c.cfg.SpareMax = 0, 0 }},
		{"spare 3 (1.22)", func(c *conditions) { c.cfg.Spare, c.cfg.SpareMax = 3, 3 }},
		{"T 1s (0.0)", func(c *conditions) { c.cfg.Target = time.Second }},
		{"T .2s (6.2)", func(c *conditions) { c.cfg.Target = time.Second / 5 }},
		{"one start (3.2)", func(c *conditions) { c.cfg.Parallel = 1 }},
		{"1 s tasks T 3 (1.2)", func(c *conditions) { c.cfg.Target = 3 * time.Second; c.mean = time.Second }},
		{"5 s tasks T 15 (.75)", func(c *conditions) { c.cfg.Target = 15 * time.Second; c.mean = 5 * time.Second }},
		{"30% fail (2.5)", func(c *conditions) { c.failStart = .3 }},
	} {
		var over, work float64
		var starts int
		for _, w := range workloads() {
			c := conditions{cfg: findings(), seed: 1, adopted: 2}
			v.c(&c)
			if c.mean >= time.Second {
				r := w.rate
				k := float64(c.mean) / 1e8
				_ = k
				w.rate = func(t float64) float64 { return r(t) / k }
				if w.batch > 0 { w.batch = 1 ; w.every = time.Duration(float64(w.every)*k/10)}
			}
			o := newSim(c).run(w)
			over += o.overShare() / 8
			work += o.workers() / 8
			starts += o.starts
		}
		t.Logf("%s: %.2f %% %.2f workers %d starts", v.name, over, work, starts/8)
	}
	_ = policy.Config{}
}
