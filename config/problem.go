package config

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Where string // config.yaml:12, $UNDERSTUDY_LISTEN, --listen; empty when only defaults are involved
	Key   string // as a person writes it, pools.general.workers.min; empty when the file as a whole is meant
	Value string // what was found; empty when there is nothing to show, or nothing that may be shown
	Wrong string // what is wrong with it
	Legal string // what would be right; empty when Wrong says it

	line int
}

// String is the problem in one line: config.yaml:12: pools.general.workers.min: 9 is more than workers.max, 8; legal: 0 to 8.
func (p Problem) String() string {
	var b strings.Builder
	for _, s := range []string{p.Where, p.Key} {
		if s != "" {
			b.WriteString(s + ": ")
		}
	}
	if p.Value != "" {
		b.WriteString(p.Value + " ")
	}
	b.WriteString(p.Wrong)
	if p.Legal != "" {
		b.WriteString("; legal: " + p.Legal)
	}
	return b.String()
}

// Problems is all that is wrong with a configuration, in the order of the file, then of environment and flags. As an error it is one
// line for each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// origin is where a key was given.
type origin struct {
	where string
	line  int // 0: not in a file
}

// report gathers problems while a configuration is loaded. Keys in it name pools by index, pools[0].name, until the very end.
type report struct {
	problems Problems
	unsaid   int // problems beyond mostProblems
	origins  map[string]origin
	fatal    bool // the file could not be read at all: judging the rest would only mislead
}

// mostProblems are listed; of the others only the number is told. Nobody reads more, and a file of another kind has thousands.
const mostProblems = 500

func newReport() *report { return &report{origins: map[string]origin{}} }

// fail adds a problem with a key, unless there is one already: what follows from a mistake is not another mistake.
// value nil: nothing to show.
func (r *report) fail(key string, value any, wrong, legal string) {
	if r.broken(key) {
		return
	}
	if secret(key) {
		value = nil
	}
	r.add(r.origin(key), Problem{Key: key, Value: show(value), Wrong: wrong, Legal: legal})
}

// failAt is fail for what is no known key, and therefore has its own place and hides nothing.
func (r *report) failAt(from origin, key, wrong, legal string) {
	r.add(from, Problem{Key: key, Wrong: wrong, Legal: legal})
}

func (r *report) add(from origin, p Problem) {
	if len(r.problems) == mostProblems {
		r.unsaid++
		return
	}
	p.Where, p.line = from.where, from.line
	r.problems = append(r.problems, p)
}

// secret tells whether the value of a key must not be shown: problems end up in logs.
func secret(key string) bool { return key == "admin_token" || secretKey.MatchString(key) }

var secretKey = regexp.MustCompile(`^pools\[[0-9]+\]\.env(\[[0-9]+\])?$`)

// broken tells whether a key, something it is part of or a part of it has a problem already.
func (r *report) broken(key string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		return p.Key == key || within(key, p.Key) || within(p.Key, key)
	})
}

// within tells whether a key is part of another one: pools[0].name of pools and of pools[0].
func within(key, whole string) bool {
	rest, ok := strings.CutPrefix(key, whole)
	return ok && whole != "" && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// origin is where the key was given or, when it was not, the innermost thing it is part of.
func (r *report) origin(key string) origin {
	for {
		if o, ok := r.origins[key]; ok {
			return o
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return origin{}
		}
		key = key[:i]
	}
}

// err is nil, or the Problems in order, with pools called by their names.
func (r *report) err(pools []string) error {
	if len(r.problems) == 0 {
		return nil
	}
	for i := range r.problems {
		r.problems[i].Key = named(r.problems[i].Key, pools)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(rank(a), rank(b)) })
	if r.unsaid > 0 {
		r.problems = append(r.problems, Problem{Wrong: fmt.Sprintf("and %d more problems", r.unsaid)})
	}
	return r.problems
}

// rank puts what has no line after what has one.
func rank(p Problem) int {
	if p.line == 0 {
		return math.MaxInt
	}
	return p.line
}

// named turns pools[0].image into pools.general.image when that name is fit to be shown and no other pool has it.
func named(key string, pools []string) string {
	for i, name := range pools {
		rest, ok := strings.CutPrefix(key, fmt.Sprintf("pools[%d]", i))
		if !ok {
			continue
		}
		same := 0
		for _, other := range pools {
			if other == name {
				same++
			}
		}
		if same == 1 && poolName.MatchString(name) {
			return "pools." + name + rest
		}
	}
	return key
}

// show is a value as a problem quotes it: short, on one line, and harmless to a terminal.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		const most = 60
		if r := []rune(v); len(r) > most {
			v = string(r[:most]) + "…"
		}
		return strconv.Quote(v)
	case Duration:
		return durationText(v)
	default:
		return fmt.Sprint(v)
	}
}
