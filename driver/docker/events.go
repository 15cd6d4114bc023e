package docker

import (
	"context"
	"fmt"
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
			last, healthy := d.subscribe(ctx, since, hints)
			if healthy {
				wait.Reset()
			}
			if last != "" {
				since = last
			}
			pause(ctx, wait.Next())
		}
	}()
	return hints
}

// subscribe passes hints on until the stream ends. It returns the time of the last event, from which the next subscription goes
// on (what it repeats is harmless), and whether the stream worked.
func (d *Driver) subscribe(ctx context.Context, since string, hints chan<- driver.ID) (last string, healthy bool) {
	ctx, cancel := context.WithTimeout(ctx, d.engine.limits.watch)
	defer cancel()
	filter := d.mine()
	filter.Add("type", string(events.ContainerEventType))
	for _, action := range []events.Action{events.ActionDie, events.ActionKill, events.ActionOOM} {
		filter.Add("event", string(action))
	}
	messages, failed := d.engine.api.Events(ctx, events.ListOptions{Since: since, Filters: filter})
	for {
		select {
		case m := <-messages:
			healthy = true
			if m.Action == events.ActionDie {
				// The engine says so before its list does, with the container locked. An inspect comes after that.
				d.inspect(ctx, m.Actor.ID)
			}
			last = fmt.Sprintf("%d.%09d", m.TimeNano/1e9, m.TimeNano%1e9)
			select {
			case hints <- driver.ID(m.Actor.ID):
			default: // the list is the truth
			}
		case err := <-failed:
			if ctx.Err() == nil {
				d.log.Debug("docker: the stream of events ended", "error", err)
			}
			return last, healthy || ctx.Err() != nil
		}
	}
}
