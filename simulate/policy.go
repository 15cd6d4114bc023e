package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"understudy/scaler/policy"
	"understudy/scaler/policy/reference"
)

// Policy decides how many workers one pool should have. Snapshots come in order of time.
type Policy interface {
	Decide(policy.Config, policy.Snapshot) policy.Decision
}

// Watcher is a Policy that sees every change of a pool, not only what there is at a tick.
type Watcher interface {
	// Watch is told how many tasks are in service and how many requests wait. It returns true to decide now instead of at the next tick.
	Watch(now time.Duration, busy, queue int) bool
}

const (
	oracleName  = "oracle"
	fixedPrefix = "fixed="
)

// AllPolicies is what "all" means.
func AllPolicies() []string {
	return []string{"understudy", "naive", "kpa", "kpa+1", "per-request", "erlang", oracleName}
}

// ParsePolicies reads names with commas between them, or "all": each of AllPolicies, and fixed=N for N workers that never change.
func ParsePolicies(list string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		switch name = strings.TrimSpace(name); name {
		case "all":
			names = append(names, AllPolicies()...)
			continue
		case oracleName:
		default:
			if _, err := newPolicy(name, 1<<30); err != nil {
				return nil, err
			}
		}
		names = append(names, name)
	}
	return names, nil
}

func newPolicy(name string, most int) (Policy, error) {
	switch name {
	case "understudy":
		return &shipped{}, nil
	case "erlang":
		return &reference.Erlang{}, nil
	case "naive":
		return &naive{}, nil
	case "kpa":
		return newKPA(0), nil
	case "kpa+1":
		return newKPA(1), nil
	case "per-request":
		return &perRequest{}, nil
	}
	if text, ok := strings.CutPrefix(name, fixedPrefix); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("policy %s: fixed=N needs a number of workers from 1 to the max of the pool", name)
		}
		return fixed(n), nil
	}
	return nil, fmt.Errorf("there is no policy %q; there are %s and fixed=N", name, strings.Join(AllPolicies(), ", "))
}

// shipped is the policy the balancer runs.
type shipped struct{ state policy.State }

func (s *shipped) Decide(cfg policy.Config, in policy.Snapshot) (d policy.Decision) {
	d, s.state = policy.Decide(cfg, in, s.state)
	return d
}

// fixed is so many workers, whatever happens.
type fixed int

func (f fixed) Decide(_ policy.Config, in policy.Snapshot) policy.Decision {
	return exactly(int(f), 0, in)
}

// exactly is the decision to have so many workers and spares now: what is missing is started, what is idle and too many goes.
func exactly(active, spare int, in policy.Snapshot) policy.Decision {
	ready := in.Active + in.Spare
	return policy.Decision{
		Active: active, Spare: spare, Need: active, Pipeline: max(0, active+spare-ready),
		Remove: max(0, min(ready+len(in.Begun)-active-spare, in.Idle+in.Spare)),
	}
}
