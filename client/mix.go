package client

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"understudy/trace"
)

// Share is one capability of a mix and how often it is chosen, relative to the others.
type Share struct {
	Capability string
	Weight     float64 // more than 0, at most 1000000
}

// Mix is the capabilities a load asks for, by weight.
type Mix []Share

// ParseMix reads "mult=2,add=1". A capability without a weight has weight 1. The error points at the character.
func ParseMix(s string) (Mix, error) {
	var m Mix
	at := 0 // where the part begins
	for part := range strings.SplitSeq(s, ",") {
		share, offset, err := parseShare(part)
		if err != nil {
			return nil, fmt.Errorf("mix %q, character %d: %w; legal is capability=weight, as in mult=2,add=1", s, at+offset+1, err)
		}
		m = append(m, share)
		at += len(part) + 1
	}
	return m, nil
}

// parseShare also returns how far into the part the problem is.
func parseShare(part string) (Share, int, error) {
	name, weight, given := strings.Cut(part, "=")
	offset := len(name) - len(strings.TrimLeft(name, " "))
	name = strings.TrimSpace(name)
	if clean, err := trace.Segment(name); err != nil || clean != name {
		return Share{}, min(offset, len(part)), fmt.Errorf("%q is no capability (letters, digits, . _ -, at most %d)", name, trace.MaxKindLength)
	}
	if !given {
		return Share{Capability: name, Weight: 1}, 0, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
	if err != nil || !legalWeight(v) {
		return Share{}, strings.IndexByte(part, '=') + 1, fmt.Errorf("the weight %q is not a number more than 0 and at most 1000000", weight)
	}
	return Share{Capability: name, Weight: v}, 0, nil
}

func legalWeight(v float64) bool { return v > 0 && v <= 1_000_000 && !math.IsNaN(v) }

func (m Mix) validate(p *problems) {
	if len(m) > maxKinds {
		p.add("mix", fmt.Sprintf("%d capabilities", len(m)), fmt.Sprintf("at most %d", maxKinds))
	}
	for _, s := range m {
		if clean, err := trace.Segment(s.Capability); err != nil || clean != s.Capability {
			p.add("mix", s.Capability, fmt.Sprintf("a capability of letters, digits, . _ -, at most %d", trace.MaxKindLength))
		}
		if !legalWeight(s.Weight) {
			p.add("weight of "+s.Capability, fmt.Sprint(s.Weight), "more than 0 and at most 1000000")
		}
	}
}

func (m Mix) String() string {
	parts := make([]string, len(m))
	for i, s := range m {
		parts[i] = fmt.Sprintf("%s=%v", s.Capability, s.Weight)
	}
	return strings.Join(parts, ",")
}

// choose picks a capability with probability weight / sum of weights.
func (m Mix) choose(r *rand.Rand) string {
	var sum float64
	for _, s := range m {
		sum += s.Weight
	}
	at := r.Float64() * sum
	for _, s := range m {
		if at -= s.Weight; at < 0 {
			return s.Capability
		}
	}
	return m[len(m)-1].Capability // rounding left a hair's breadth
}
