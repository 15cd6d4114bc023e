package drivertest

import "context"

// Hang makes calls of these operations (start, stop, list, inspect) wait until their context ends or release is called: an engine that hangs.
func (f *Fake) Hang(ops ...string) (release func()) {
	over := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, op := range ops {
		f.hung[op] = over
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, op := range ops {
			delete(f.hung, op)
		}
		close(over)
	}
}

// stall waits for as long as the operation hangs.
func (f *Fake) stall(ctx context.Context, op string) error {
	f.mu.Lock()
	over := f.hung[op]
	f.mu.Unlock()
	if over == nil {
		return nil
	}
	return await(ctx, over)
}

// Mute makes watchers hear nothing from now on, or hear again. Hearing again, they are told that hints may have been lost.
func (f *Fake) Mute(mute bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mute = mute
	if !mute {
		f.hint("")
	}
}
