package fleet

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is moved by hand, for tests in which nobody waits.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time       { return c.now }
func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// still makes a fleet on a clock that moves only when told.
func still(pools ...PoolConfig) (*Fleet, *clock) {
	c := &clock{now: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)}
	return New(pools, c.Now), c
}

// pass lets virtual time go by inside a synctest bubble, until everybody there waits again.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// kind is a pool with bounds wide enough to be out of the way.
func kind(name string, capabilities ...string) PoolConfig {
	return PoolConfig{
		Name: name, Capabilities: capabilities, Concurrency: 1, Max: 100, Pick: RoundRobin,
		QueueLength: 1000, QueueWait: 10 * time.Second, Target: 300 * time.Millisecond,
	}
}

func with(p PoolConfig, change func(*PoolConfig)) PoolConfig {
	change(&p)
	return p
}

func add(t testing.TB, f *Fleet, info Info) *Worker {
	t.Helper()
	if info.Origin == "" {
		info.Origin = Cold
	}
	w, err := f.Add(info)
	if err != nil {
		t.Fatalf("Add(%+v): %v", info, err)
	}
	return w
}

// active adds workers and puts them into rotation in this order.
func active(t testing.TB, f *Fleet, pool string, ids ...string) []*Worker {
	t.Helper()
	return ready(t, f, pool, Active, 1<<30, ids)
}

// spares adds workers that are ready and out of rotation.
func spares(t testing.TB, f *Fleet, pool string, ids ...string) []*Worker {
	t.Helper()
	return ready(t, f, pool, Spare, 0, ids)
}

func ready(t testing.TB, f *Fleet, pool string, want State, rotation int, ids []string) []*Worker {
	t.Helper()
	var out []*Worker
	for _, id := range ids {
		w := add(t, f, Info{ID: id, Pool: pool})
		if !f.Ready(id, "http://"+id, rotation) {
			t.Fatalf("Ready(%s) = false", id)
		}
		expectState(t, f, id, want)
		out = append(out, w)
	}
	return out
}

func expectState(t testing.TB, f *Fleet, id string, want State) {
	t.Helper()
	if _, got, _ := f.Worker(id); got != want {
		t.Errorf("worker %s is %s, want %s", id, got, want)
	}
}

// try acquires without patience.
func try(f *Fleet, req Request) (Lease, error) {
	ctx, leave := context.WithCancelCause(context.Background())
	leave(errImpatient)
	return f.Acquire(ctx, req)
}

var errImpatient = errors.New("the caller does not wait")

func take(t testing.TB, f *Fleet, capability string) Lease {
	t.Helper()
	l, err := try(f, Request{Capability: capability})
	if err != nil {
		t.Fatalf("Acquire(%s): %v", capability, err)
	}
	return l
}

func end(t testing.TB, l Lease, k Kind) {
	t.Helper()
	if !l.Release(Outcome{Kind: k}) {
		t.Fatalf("the first Release of a lease on %s did nothing", l.Worker)
	}
}

// serve is one request that is answered at once; it returns who did it.
func serve(t testing.TB, f *Fleet, capability string) string {
	t.Helper()
	l := take(t, f, capability)
	end(t, l, Served)
	return l.Worker.ID
}

// turns serves n requests one after the other and returns who did.
func turns(t testing.TB, f *Fleet, capability string, n int) []string {
	t.Helper()
	var out []string
	for range n {
		out = append(out, serve(t, f, capability))
	}
	return out
}

// enqueue puts a request into the queue without a goroutine that waits.
func enqueue(t testing.TB, f *Fleet, req Request) *waiter {
	t.Helper()
	l, w, err := f.claim(req)
	if err != nil || w == nil {
		t.Fatalf("claim(%+v) = %v, %v: it did not have to wait", req, l.Worker, err)
	}
	return w
}

// granted tells who serves a waiter: "" while it waits, "-" when it was sent away.
func granted(w *waiter) (Lease, string) {
	select {
	case l, ok := <-w.granted:
		if !ok {
			return Lease{}, "-"
		}
		return l, l.Worker.ID
	default:
		return Lease{}, ""
	}
}

func expectGrant(t testing.TB, w *waiter, want string) Lease {
	t.Helper()
	l, got := granted(w)
	if got != want {
		t.Fatalf("the waiter of %s was given to %q, want %q", w.route.capability, got, want)
	}
	return l
}

// answer is what an Acquire in a goroutine of its own came to.
type answer struct {
	Lease
	err error
	at  time.Duration // when, since the bubble began
}

// ask acquires in a goroutine and returns once that waits or is done.
func ask(ctx context.Context, f *Fleet, req Request) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		l, err := f.Acquire(ctx, req)
		out <- answer{l, err, f.since()}
	}()
	synctest.Wait()
	return out
}

// answered fails the test when the request still waits.
func answered(t testing.TB, in <-chan answer) answer {
	t.Helper()
	synctest.Wait()
	select {
	case a := <-in:
		return a
	default:
		t.Fatal("the request still waits")
		return answer{}
	}
}

func expectWaiting(t testing.TB, in <-chan answer) {
	t.Helper()
	synctest.Wait()
	select {
	case a := <-in:
		t.Fatalf("the request no longer waits: %v, %v", a.Worker, a.err)
	default:
	}
}

func expectErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func expectList[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func measure(t testing.TB, f *Fleet, pool string) Measured {
	t.Helper()
	m, ok := f.Measure(pool)
	if !ok {
		t.Fatalf("Measure(%s): there is no such pool", pool)
	}
	return m
}

func statusOf(t testing.TB, f *Fleet, pool string) PoolStatus {
	t.Helper()
	for _, s := range f.Status() {
		if s.Name == pool {
			return s
		}
	}
	t.Fatalf("Status: there is no pool %s", pool)
	return PoolStatus{}
}

func ids(workers []*Worker) []string {
	var out []string
	for _, w := range workers {
		out = append(out, w.ID)
	}
	return out
}
