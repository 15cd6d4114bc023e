// Package reference holds the scaling policies that the shipped one is judged against. None of them is shipped. They are as pure as package
// policy is, and keep what they remember in themselves: one value decides for one pool, and is not safe for concurrent use.
package reference

import "understudy/scaler/policy"

// Policy decides how many workers one pool should have. Snapshots must come in order of time.
type Policy interface {
	Decide(policy.Config, policy.Snapshot) policy.Decision
}
