package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// leave is the end of a process that has been replaced: it serves the clients it has, with workers it asks the new one for, and goes without
// touching anything else.
func (r *run) leave(ctx context.Context, h *heir) {
	a := r.app
	a.handed.Store(true)
	a.public.Close() // whoever is not accepted yet waits in the same queue for the new process
	a.notify(fmt.Sprintf("MAINPID=%d", h.Pid()))
	a.Log.Info("handed over", slog.Int("to", h.Pid()))
	a.Say(fmt.Sprintf("handed over to process %d; this one ends when its clients are served", h.Pid()))
	a.lock.lend()
	a.guard.dismiss()
	a.guard = nil
	_ = a.scaler.Leave(context.WithoutCancel(ctx)) // the loop is there: only Run ends it
	r.stop()
	h.close()

	a.balancer.Drain()
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.drainTime())
	defer cancel()
	linger(draining, a.Patience.Linger)
	r.drain(draining)
	h.Successor.Close()
}

// linger keeps connections that are idle open for a while. Closing one at once would meet the request that its client is just sending; whoever
// sends one within this time is answered, and told that the connection closes.
func linger(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
