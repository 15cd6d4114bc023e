// Package acceptance holds the balancer to its acceptance list: each row of the list is a subtest that sends bytes exactly as written to a
// whole balancer on a real socket, while workers of its own keep every byte they got. docs/PROXY.md says which row is where.
//
// After each row the invariants hold, whatever the row did (invariants_test.go): nothing is left open, the next client is served, no worker
// saw a request that nobody sent, no healthy worker is blamed, and what a client did wrong is not answered with a 5xx that blames a worker.
package acceptance

import (
	"fmt"
	"io"
	"log"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(lingering))
}

// patience bounds every wait for an event. It is never waited out when the code is right.
const patience = 20 * time.Second

// row is one line of the acceptance list, or a variant of it. Its name begins with the number in the list.
type row struct {
	name  string
	with  func(*plan)  // what differs from the usual world; nil: nothing
	run   func(*trial) // sends, and looks at what comes back
	fault bool         // the worker is at fault, so it may be blamed
	send  string       // the bytes, where a row sends nothing else: seeds for the fuzzer
}

// accept runs each row over each front.
func accept(t *testing.T, rows ...[]row) {
	t.Helper()
	for _, list := range rows {
		for _, r := range list {
			t.Run(r.name, func(t *testing.T) {
				for _, f := range fronts() {
					t.Run(f.name, func(t *testing.T) { r.try(t, f) })
				}
			})
		}
	}
}

// try runs one row over one front.
func (r row) try(t *testing.T, f front) {
	x := &trial{T: t, row: r, want: map[string]amount{}}
	x.guard(func() {
		x.world = newWorld(x, f, r.with)
		x.guard(func() { r.run(x) })
		x.invariants()
	})
	if x.world != nil {
		x.world.end(len(x.failures) > 0)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, text := range x.failures {
		t.Error(text)
	}
}

// trial is one run of a row. It keeps its failures, because goroutines of a row that is over may still have some.
type trial struct {
	*testing.T
	*world
	row   row
	want  map[string]amount // what workers may see
	ended bool              // the row ended the balancer: there is no next client

	mu       sync.Mutex
	failures []string
}

// amount is how often workers see a request.
type amount struct{ least, most int }

// over ends a trial that cannot go on.
type over struct{}

func (x *trial) Errorf(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failures = append(x.failures, fmt.Sprintf(format, args...))
}

// Fatalf ends the row. Only its own goroutine may call it.
func (x *trial) Fatalf(format string, args ...any) {
	x.Errorf(format, args...)
	panic(over{})
}

func (x *trial) Fatal(args ...any) { x.Fatalf("%s", fmt.Sprint(args...)) }

func (x *trial) guard(fn func()) {
	defer func() {
		switch p := recover().(type) {
		case nil, over:
		default:
			x.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	fn()
}

// sees says that workers see this request ("POST /mult") so many times.
func (x *trial) sees(request string, n int) { x.want[request] = amount{n, n} }

// maySee says that workers see this request at most so many times.
func (x *trial) maySee(request string, n int) { x.want[request] = amount{0, n} }

// take takes the next value of a channel.
func take[T any](x *trial, ch <-chan T, what string) T {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-ch:
		return v
	case <-timer.C:
		x.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// until polls something that has no event to wait for. It reports whether it came about.
func until(ok func() bool) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-timer.C:
			return false
		}
	}
	return true
}

func (x *trial) await(what string, ok func() bool) {
	if !until(ok) {
		x.Fatalf("waited in vain until %s", what)
	}
}
