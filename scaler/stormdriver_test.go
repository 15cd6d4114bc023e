package scaler

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
)

// stormy is a driver whose engine does what it can to mislead, within the contract: answers that are lost or late, lists that are old when they
// come, hints about nobody.
type stormy struct {
	*drivertest.Fake
	own sync.WaitGroup // what the driver goes on removing by itself

	mu    sync.Mutex
	rng   *rand.Rand
	rage  float64 // how often something goes wrong, 0 to 1
	hints chan driver.ID
	died  chan struct{} // closed when the process of the driver dies: then nobody removes what it would have
}

// die is the end of the driver's process. There is another one from now on.
func (d *stormy) die() {
	d.mu.Lock()
	close(d.died)
	d.died = make(chan struct{})
	d.mu.Unlock()
	d.own.Wait()
}

var (
	errTrouble = errors.New("500 Internal Server Error")
)

// dice throws: below the rage of the moment something goes wrong, and n says what, 0 to of-1.
func (d *stormy) dice(of int) (n int, wrong bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(of), d.rng.Float64() < d.rage
}

// within is a moment up to longest.
func (d *stormy) within(longest time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.rng.Int64N(int64(longest) + 1))
}

func (d *stormy) setRage(rage float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rage = rage
}

// idle waits for d or for the end of ctx.
func idle(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// plan is what becomes of a worker.
func (d *stormy) plan(driver.Spec) drivertest.Plan {
	p := drivertest.Plan{StartDelay: 200*time.Millisecond + d.within(3*time.Second), StopDelay: d.within(4 * time.Second),
		PauseDelay: d.within(50 * time.Millisecond), ResumeDelay: d.within(50 * time.Millisecond)}
	switch n, wrong := d.dice(6); {
	case !wrong:
	case n == 0:
		p.StartErr = errTrouble
	case n == 1:
		p.StartErr = fmt.Errorf("no such image: %w", driver.ErrImageMissing)
	case n == 2:
		p.Exit, p.ExitAfter, p.ExitCode = true, d.within(30*time.Second), 1
	case n == 3:
		p.StopDelay = time.Hour
	case n == 4:
		p.PauseDelay, p.ResumeDelay = d.within(20*time.Second), d.within(3*time.Second)
	case n == 5:
		p.StartDelay = d.within(time.Minute)
	}
	return p
}

// Start implements driver.Driver. What it began and gave no answer about it removes by itself, some time.
func (d *stormy) Start(ctx context.Context, spec driver.Spec) (driver.Instance, error) {
	n, wrong := d.dice(4)
	switch {
	case !wrong || n == 0:
		return d.Fake.Start(ctx, spec)
	case n == 1:
		return driver.Instance{}, errAway
	case n == 2:
		if err := idle(ctx, d.within(40*time.Second)); err != nil {
			return driver.Instance{}, err
		}
		return driver.Instance{}, errAway
	}
	answered := make(chan struct{})
	d.mu.Lock()
	died := d.died
	d.mu.Unlock()
	d.own.Go(func() {
		inst, err := d.Fake.Start(context.WithoutCancel(ctx), spec)
		<-answered
		for err == nil {
			select {
			case <-time.After(d.within(40 * time.Second)):
			case <-died:
				return
			}
			if d.Fake.Stop(context.WithoutCancel(ctx), inst.ID, 0) == nil {
				return
			}
		}
	})
	defer close(answered)
	if err := idle(ctx, d.within(10*time.Second)); err != nil {
		return driver.Instance{}, err
	}
	return driver.Instance{}, errAway
}

// Stop implements driver.Driver.
func (d *stormy) Stop(ctx context.Context, id driver.ID, grace time.Duration) error {
	n, wrong := d.dice(4)
	switch {
	case !wrong:
		return d.Fake.Stop(ctx, id, grace)
	case n == 0:
		return errAway
	case n == 1:
		return errTrouble
	case n == 2:
		_ = idle(ctx, 20*time.Second)
		return fmt.Errorf("stopping: %w", context.DeadlineExceeded)
	default: // done, and the answer is lost
		_ = d.Fake.Stop(ctx, id, grace)
		return errAway
	}
}

// List implements driver.Driver.
func (d *stormy) List(ctx context.Context) ([]driver.Instance, error) {
	found, err := d.Fake.List(ctx)
	d.mu.Lock()
	d.rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	d.mu.Unlock()
	switch n, wrong := d.dice(6); {
	case !wrong || err != nil:
		return found, err
	case n == 0:
		return nil, errAway
	case n == 1:
		return nil, errTrouble
	case n == 2:
		<-ctx.Done()
		return nil, fmt.Errorf("listing: %w", context.DeadlineExceeded)
	default: // what it says is old when it comes
		return found, idle(ctx, d.within(9*time.Second))
	}
}

// Inspect implements driver.Inspector.
func (d *stormy) Inspect(ctx context.Context, id driver.ID) (driver.Instance, error) {
	switch n, wrong := d.dice(3); {
	case !wrong:
	case n == 0:
		return driver.Instance{}, errTrouble
	case n == 1:
		return driver.Instance{}, errAway
	case n == 2:
		if err := idle(ctx, d.within(15*time.Second)); err != nil {
			return driver.Instance{}, err
		}
	}
	return d.Fake.Inspect(ctx, id)
}

// Pause implements driver.Pauser.
func (d *stormy) Pause(ctx context.Context, id driver.ID) error {
	return d.around(ctx, id, d.Fake.Pause)
}

// Resume implements driver.Pauser.
func (d *stormy) Resume(ctx context.Context, id driver.ID) error {
	return d.around(ctx, id, d.Fake.Resume)
}

func (d *stormy) around(ctx context.Context, id driver.ID, do func(context.Context, driver.ID) error) error {
	switch n, wrong := d.dice(4); {
	case !wrong:
		return do(ctx, id)
	case n == 0:
		return errAway
	case n == 1:
		return errTrouble
	case n == 2:
		return errors.Join(do(ctx, id), errAway)
	default:
		return errors.Join(do(ctx, id), errTrouble)
	}
}

// Resolve implements driver.Resolver.
func (d *stormy) Resolve(ctx context.Context, spec driver.Spec) (string, error) {
	switch n, wrong := d.dice(4); {
	case !wrong:
	case n == 0:
		return "", errAway
	case n == 1:
		return "", errTrouble
	default:
		if err := idle(ctx, d.within(30*time.Second)); err != nil {
			return "", err
		}
	}
	return d.Fake.Resolve(ctx, spec)
}

// Watch implements driver.Watcher: some hints are lost, some come twice.
func (d *stormy) Watch(ctx context.Context) <-chan driver.ID {
	out := make(chan driver.ID, 64)
	d.mu.Lock()
	d.hints = out
	d.mu.Unlock()
	in := d.Fake.Watch(ctx)
	go func() {
		for id := range in {
			if n, wrong := d.dice(2); !wrong || n == 0 {
				d.hint(id)
			}
			if _, wrong := d.dice(1); wrong {
				d.hint(id)
			}
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.hints == out {
			d.hints = nil
		}
		close(out)
	}()
	return out
}

// hint says that a worker has ended, true or not; one that comes too fast is lost.
func (d *stormy) hint(id driver.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case d.hints <- id:
	default:
	}
}
