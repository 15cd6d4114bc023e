package drivertest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"understudy/driver"
)

// Call is one call a Fake got.
type Call struct {
	Op     string // start, stop, list, inspect, prepare, sweep, pause, resume
	Worker string // short id, as far as it is known
	ID     driver.ID
	Port   int           // of a start
	Grace  time.Duration // of a stop
	Spec   driver.Spec   // of a start or prepare
	Began  time.Time
	Ended  time.Time // zero while the call is under way
	Err    error
}

// begin records a call; the function it returns records its end.
func (f *Fake) begin(op string, c Call) func(driver.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.Op, c.Began = op, time.Now()
	i := len(f.calls)
	f.calls = append(f.calls, c)
	return func(id driver.ID, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.calls[i].ID, f.calls[i].Err, f.calls[i].Ended = id, err, time.Now()
	}
}

// Calls returns the calls of the named operations so far, of all when none is named, in the order they began.
func (f *Fake) Calls(ops ...string) []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Call
	for _, c := range f.calls {
		if len(ops) == 0 || slices.Contains(ops, c.Op) {
			out = append(out, c)
		}
	}
	return out
}

// Faults returns what the caller did that no caller of a driver may: a port given to two workers at a time, a worker started twice.
func (f *Fake) Faults() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.faults)
}

// fault is called with mu held.
func (f *Fake) fault(format string, args ...any) {
	f.faults = append(f.faults, fmt.Sprintf(format, args...))
}

// refusal is why the call cannot be served now, if so. Called with mu held.
func (f *Fake) refusal(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if f.down != nil {
		return f.down
	}
	if queue := f.failures[op]; len(queue) > 0 {
		f.failures[op] = queue[1:]
		return queue[0]
	}
	return nil
}

// FailNext makes the next calls of an operation (start, stop, list, inspect, logs, prepare, sweep, pause, resume) return these errors, one each.
func (f *Fake) FailNext(op string, errs ...error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures[op] = append(f.failures[op], errs...)
}

// SetDown makes every call return err until SetDown(nil): an engine that is away. Workers run on. An err that is to be
// told from others should wrap driver.ErrUnavailable.
func (f *Fake) SetDown(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
}

// Kill ends a running worker as another's hand would: it stays, not running, with that exit code, and watchers get a hint.
// It returns false when no such worker runs.
func (f *Fake) Kill(worker string, code int) bool {
	w := f.find(worker)
	if w == nil {
		return false
	}
	f.end(w, code)
	return true
}

// Print makes a worker print a line.
func (f *Fake) Print(worker, line string) {
	if w := f.find(worker); w != nil {
		fmt.Fprintln(w.logs, line)
	}
}

// Vanish removes a worker without a trace, as an operator would. It returns false when there is no such worker.
func (f *Fake) Vanish(worker string) bool {
	w := f.find(worker)
	if w == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.halt(w, forcedCode)
	delete(f.workers, w.inst.ID)
	f.hint(w.inst.ID)
	return true
}

// Place puts a worker there that an earlier process started; its ID is ignored and a new one returned. Plan is not asked.
func (f *Fake) Place(inst driver.Instance) driver.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	plan := f.opts.Plan
	f.opts.Plan = nil
	w := f.add(driver.Spec{HostPort: inst.HostPort})
	f.opts.Plan = plan
	inst.ID, w.starting = w.inst.ID, false
	inst.Capabilities = slices.Clone(inst.Capabilities)
	w.inst = inst
	return inst.ID
}

// Retag makes an image's name mean other content from the next start or Resolve on.
func (f *Fake) Retag(image, content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.contents[image] = content
}

// Occupy makes another process hold a port: starts on it get ErrPortTaken until Vacate.
func (f *Fake) Occupy(port int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.foreign[port] = true
}

// Vacate undoes Occupy.
func (f *Fake) Vacate(port int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.foreign, port)
}

// find returns the worker of that short id, the one that runs before others.
func (f *Fake) find(worker string) (found *fakeWorker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.workers {
		if w.inst.Worker == worker && (found == nil || w.inst.Running) {
			found = w
		}
	}
	return found
}

func (f *Fake) nameOf(id driver.ID) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.workers[id]; w != nil {
		return w.inst.Worker
	}
	return ""
}
