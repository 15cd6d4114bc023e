package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The kinds of task that are built in. Every other capability behaves as sleep.
const (
	kindMult  = "mult"
	kindAdd   = "add"
	kindSleep = "sleep"

	wildcard = "*"
)

// kindSet is the kinds a worker does, in the order they were given. The wildcard in it stands for every kind.
type kindSet []string

func (s kindSet) has(kind string) bool {
	return slices.Contains(s, kind) || slices.Contains(s, wildcard)
}

func (s kindSet) String() string { return strings.Join(s, ", ") }

// task is one piece of work, wholly decided before it starts.
type task struct {
	kind   string
	input  json.RawMessage // what was asked, as GET / shows it
	result json.RawMessage // nil: this kind has none
	length time.Duration   // how long it is to take
}

// newTask makes a task of what a client sent; usual gives its length where the client does not say. The error is for the client.
func newTask(kind string, in fields, usual func() time.Duration) (task, error) {
	switch kind {
	case kindMult:
		return newSum(kind, multiplication(), in, usual())
	case kindAdd:
		return newSum(kind, addition(), in, usual())
	default:
		return newSleep(kind, in, usual())
	}
}

func newSum(kind string, op operation, in fields, length time.Duration) (task, error) {
	a, err := in.number("a")
	if err != nil {
		return task{}, err
	}
	b, err := in.number("b")
	if err != nil {
		return task{}, err
	}
	result, err := op.apply(a, b)
	if err != nil {
		return task{}, err
	}
	input := fmt.Appendf(nil, `{"a":%s,"b":%s}`, a.json(), b.json())
	return task{kind: kind, input: input, result: result.json(), length: length}, nil
}

func newSleep(kind string, in fields, usual time.Duration) (task, error) {
	if _, given := in["ms"]; !given {
		return task{kind: kind, input: json.RawMessage(`{}`), length: usual}, nil
	}
	n, err := in.number("ms")
	if err != nil {
		return task{}, err
	}
	ms := n.float64()
	if ms < 0 || ms > float64(longest/time.Millisecond) {
		return task{}, fmt.Errorf("ms is %s: it must be 0 to %d", shorten(in["ms"]), longest/time.Millisecond)
	}
	input := fmt.Appendf(nil, `{"ms":%s}`, n.json())
	return task{kind: kind, input: input, length: time.Duration(ms * float64(time.Millisecond))}, nil
}
