//go:build unix

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// What a balancer that died leaves of its lock is the file, with its name in it. Nobody else's name can be there unless somebody has had the
// instance since; that is how its guard learns of a successor, even of one that has come and gone.

// guardAbout is what a guard that cleans up says of itself in the lock.
const guardAbout = "the guard of a balancer that died, cleaning up"

const (
	lockPoll  = 20 * time.Millisecond
	lockBrief = 300 * time.Millisecond      // whoever holds the lock may just be about to let go
	lockGuard = guardSweep + 10*time.Second // for a guard to finish
)

// AwaitLock is TakeLock with patience for holders that will be gone in a moment: a guard that cleans up. waiting is called once if it comes to that.
func AwaitLock(ctx context.Context, dir, driverName, instance, about string, waiting func()) (*Lock, error) {
	began := time.Now()
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for said := false; ; {
		l, err := TakeLock(dir, driverName, instance, about)
		var locked *LockedError
		if !errors.As(err, &locked) {
			return l, err
		}
		patience := lockBrief
		if strings.Contains(locked.Holder, guardAbout) {
			if patience = lockGuard; !said {
				said = true
				waiting()
			}
		}
		if time.Since(began) > patience {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// lastHolder is the process that has the instance, or had it last and ended without letting go; 0: nobody.
func lastHolder(dir, driverName, instance string) int {
	var pid int
	if _, err := fmt.Sscanf(readHolder(lockPath(dir, driverName, instance)), "process %d ", &pid); err != nil {
		return 0
	}
	return pid
}

// inheritLock locks the instance for a guard, if process last was the last to have it and has it no more. It yields nil when somebody else has
// come, or has come and gone.
func inheritLock(dir, driverName, instance string, last int) (*Lock, error) {
	path := lockPath(dir, driverName, instance)
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock instance %q with the file %s: %w", instance, path, err)
	}
	l, err := lockFile(file, path)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("cannot lock instance %q with the file %s: %w", instance, path, err)
	case l == nil:
		return nil, nil
	case lastHolder(dir, driverName, instance) != last:
		l.lend() // not ours to remove
		l.Release()
		return nil, nil
	}
	_ = l.write(guardAbout) // or whoever finds it locked reads the dead one's name
	return l, nil
}
