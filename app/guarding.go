package app

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"understudy/driver"
)

const (
	guardPoll     = 500 * time.Millisecond // how often a guard looks for a successor
	guardSweep    = 30 * time.Second       // for one attempt to clean up: so long at most a successor finds the instance locked
	guardPause    = time.Second            // after an attempt that failed; twice as long each time,
	guardLongest  = time.Minute            // up to this
	guardPatience = 24 * time.Hour         // with an engine that stays away, unless said otherwise
)

// GuardOptions say whom a guard guards.
type GuardOptions struct {
	Instance string
	Balancer int           // its process id
	Wait     time.Duration // for a successor
	LockDir  string        // empty: the host's
	Patience time.Duration // with an engine that stays away; 0: a day
	Log      *slog.Logger  // required
}

// watchman is a guard whose balancer has died.
type watchman struct {
	GuardOptions
	open func(context.Context) (driver.Driver, error)
	last int // the process that had the instance last: the balancer, and after the first attempt this one
}

// SaidBye reads from pipe until the balancer has ended, however it does, and reports whether there is nothing to do after it.
func SaidBye(pipe io.Reader) bool {
	said, _ := bufio.NewReader(pipe).ReadString('\n')
	return said == guardBye
}

// CleanUpAfter is what a guard does once its balancer has died: it waits for a successor, and when none comes removes every container and network
// of the instance. open connects to the engine; while that is away it goes on trying, for as long as its patience lasts, and ends as soon as a successor is there.
func CleanUpAfter(ctx context.Context, o GuardOptions, open func(context.Context) (driver.Driver, error)) error {
	o = o.filled()
	w := &watchman{GuardOptions: o, open: open, last: o.Balancer}
	w.Log.Warn("the balancer has died", slog.Int("process", o.Balancer), slog.Duration("wait", o.Wait))
	if came, err := w.await(ctx, o.Wait); came || err != nil {
		return err
	}
	return w.persist(ctx)
}

// filled has what is usual wherever nothing is said.
func (o GuardOptions) filled() GuardOptions {
	if o.LockDir == "" {
		o.LockDir = LockDir()
	}
	o.Patience = cmp.Or(o.Patience, guardPatience)
	return o
}

// persist tries to clean up until that has worked, a successor has come, or its patience is over.
func (w *watchman) persist(ctx context.Context) error {
	pauses := driver.Backoff{Base: guardPause, Max: guardLongest}
	for began := time.Now(); ; {
		done, err := w.cleanUp(ctx)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Since(began) > w.Patience:
			return fmt.Errorf("guard: could not clean up for %v: %w", w.Patience, err)
		}
		w.Log.Warn("not cleaned up yet", slog.Any("error", err))
		if came, err := w.await(ctx, pauses.Next()); came || err != nil {
			return err
		}
	}
}

// await waits so long. It reports whether a successor has come meanwhile, and be it gone again: it had the workers, and a guard of its own.
func (w *watchman) await(ctx context.Context, d time.Duration) (came bool, err error) {
	over := time.NewTimer(d)
	defer over.Stop()
	ticker := time.NewTicker(guardPoll)
	defer ticker.Stop()
	for {
		if lastHolder(w.LockDir, "docker", w.Instance) != w.last {
			w.Log.Info("a successor has come")
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-over.C:
			return false, nil
		case <-ticker.C:
		}
	}
}

// cleanUp removes everything once. The instance is locked only while the engine is there: a successor does not wait for one that is away.
// It reports true when there is nothing left to do.
func (w *watchman) cleanUp(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, guardSweep)
	defer cancel()
	d, err := w.open(ctx)
	if err != nil {
		return false, err
	}
	defer d.Close()
	sweeper, ok := d.(driver.Sweeper)
	if !ok {
		return true, nil
	}
	if _, err := d.List(ctx); err != nil { // it is there, but does it answer
		return false, err
	}
	lock, err := inheritLock(w.LockDir, "docker", w.Instance, w.last)
	if err != nil {
		return false, err
	}
	if lock == nil {
		w.Log.Info("a successor has come")
		return true, nil
	}
	defer lock.Release()
	w.last = os.Getpid()
	removed, err := sweeper.Sweep(ctx, false)
	if err != nil {
		lock.lend() // the file stays, with our name in it: whoever comes can have it, and we see that somebody came
		return false, err
	}
	w.Log.Warn("removed what the balancer left", slog.Int("things", len(removed)))
	return true, nil
}
