package config

import (
	"strconv"
	"strings"
)

// BuiltIn tells whether the pool's workers are the one inside this binary.
func (p Pool) BuiltIn() bool {
	return p.Image == "" && len(p.Command) == 0 && len(p.Members) == 0
}

// MembersOnly tells whether the pool has fixed members and nothing that could be started beside them.
func (p Pool) MembersOnly() bool {
	return p.Image == "" && len(p.Command) == 0 && len(p.Members) > 0
}

// Scaled tells whether workers of this pool are ever started: a pool of fixed members alone is only balanced to.
func (p Pool) Scaled() bool {
	return p.Workers.Max > 0 && !p.MembersOnly()
}

// SecurityLevel is strict or standard: what Security says or, where it says auto, strict for the worker inside this binary and
// standard for everybody else's.
func (p Pool) SecurityLevel() string {
	switch {
	case p.Security != "" && p.Security != "auto":
		return p.Security
	case p.BuiltIn():
		return "strict"
	default:
		return "standard"
	}
}

// StatusRange is the range of statuses, both ends included, that mean ready. A Status that Load would refuse counts as the
// default, 200 to 499.
func (r Ready) StatusRange() (lo, hi int) {
	lo, hi, ok := statusRange(r.Status)
	if !ok {
		return 200, 499
	}
	return lo, hi
}

// statusRange reads "200" and "200-499", each end from 100 to 599.
func statusRange(s string) (lo, hi int, ok bool) {
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	lo, hi = status(from), status(to)
	return lo, hi, lo != 0 && hi != 0 && lo <= hi
}

// status reads a status from 100 to 599; 0 when it is none.
func status(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) != 3 || n < 100 || n > 599 {
		return 0
	}
	return n
}
