package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"

	"understudy/driver"
)

// Watch implements driver.Watcher. It subscribes for ever, again whenever the engine ends the stream, and now and then without
// reason, since streams can fall silent. A receiver that does not keep up loses hints.
func (d *Driver) Watch(ctx context.Context) <-chan driver.ID {
	hints := make(chan driver.ID, 64)
	ctx, cancel := context.WithCancel(ctx)
	unlink := context.AfterFunc(d.background, cancel)
	go func() {
		defer close(hints)
		defer cancel()
		defer unlink()
		wait := driver.Backoff{Base: 100 * time.Millisecond, Max: 30 * time.Second}
		since := ""
		for ctx.Err() == nil {
			began := time.Now()
			last, whole := d.subscribe(ctx, since, hints)
			if whole || time.Since(began) > d.engine.limits.steady { // one that only repeats its last event is no success
				wait.Reset()
			}
			if last == 0 && since == "" {
				last = began.Add(-time.Second).UnixNano() // nothing came yet; what comes before the next stream is not to be missed
			}
			if last != 0 {
				since = fmt.Sprintf("%d.%09d", last/1e9, last%1e9)
			}
			pause(ctx, wait.Next())
		}
	}()
	return hints
}

// subscribe passes events on until the stream ends. It returns the time of the last one in nanoseconds, from which the next
// subscription goes on (what it repeats is harmless), and whether the stream lasted as long as it was meant to. It waits for
// nobody: an engine leaves out those who read slowly. Where a stream begins and where it ends it passes on an empty hint:
// something may have been missed.
func (d *Driver) subscribe(ctx context.Context, since string, hints chan<- driver.ID) (last int64, whole bool) {
	ctx, cancel := context.WithTimeout(ctx, d.engine.limits.watch)
	defer cancel()
	// a stream is no call with an end, so it does not go through do; this one that asks nothing renews the client after the engine was away
	if err := d.engine.do(ctx, d.engine.limits.dial, "ask for events", func(context.Context) error { return nil }); err != nil {
		d.log.Debug("docker: no stream of events", "error", err)
		return 0, ctx.Err() != nil
	}
	filter := d.mine()
	filter.Add("type", string(events.ContainerEventType))
	for _, action := range []events.Action{events.ActionDie, events.ActionKill, events.ActionOOM} {
		filter.Add("event", string(action))
	}
	messages, failed := d.engine.api().Events(ctx, events.ListOptions{Since: since, Filters: filter})
	// At once: while the container is locked, an inspect waits to tell the truth and a list does not.
	pass := func(id string) {
		select {
		case hints <- driver.ID(id):
		default: // the list is the truth
		}
	}
	if len(failed) == 0 {
		pass("")
	}
	for {
		select {
		case m := <-messages:
			last = m.TimeNano
			if endsIt(m) {
				pass(m.Actor.ID)
			}
		case err := <-failed:
			pass("")
			if ctx.Err() == nil {
				d.engine.lost.Store(true) // it may have been replaced
				d.log.Debug("docker: the stream of events ended", "error", err)
			}
			return last, ctx.Err() != nil
		}
	}
}

// endsIt tells whether a container has ended or is about to. Most signals are only told to it; if one ends it, the end is an event of its own.
func endsIt(m events.Message) bool {
	if m.Action != events.ActionKill {
		return true
	}
	switch strings.TrimPrefix(m.Actor.Attributes["signal"], "SIG") {
	case "", "9", "KILL":
		return true
	}
	return false
}
