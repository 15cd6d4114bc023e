package enginetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// historySize is how many events an engine keeps for those who ask for what was.
const historySize = 256

// event is one, as it is streamed.
type event struct {
	Type, Action string
	Actor        struct {
		ID         string
		Attributes map[string]string
	}
	Time     int64 `json:"time"`
	TimeNano int64 `json:"timeNano"`
}

// emit makes an event of a container's and tells everybody that something changed. mu is held.
func (e *Engine) emit(c *container, action string, attributes map[string]string) {
	now := time.Now()
	ev := event{Type: "container", Action: action, Time: now.Unix(), TimeNano: now.UnixNano()}
	ev.Actor.ID = c.ID
	ev.Actor.Attributes = map[string]string{"name": c.Name, "image": c.Image}
	maps.Copy(ev.Actor.Attributes, c.Labels)
	maps.Copy(ev.Actor.Attributes, attributes)
	e.keep(ev)
}

func (e *Engine) keep(ev event) {
	e.history = append(e.history, ev)
	e.events++
	if len(e.history) > historySize {
		e.history = e.history[len(e.history)-historySize:]
	}
	e.change()
}

// streamEvents sends what came since then, as far back as it is kept, and what comes, until the caller leaves. A caller that is
// too slow misses what is not kept any more.
func (e *Engine) streamEvents(w http.ResponseWriter, r *http.Request) {
	f := filtersOf(r)
	since := nanoseconds(r.URL.Query().Get("since"))
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	e.mu.Lock()
	now := e.events // what comes from now on is sent whatever since says
	next := now
	if since > 0 {
		next -= len(e.history)
	}
	e.mu.Unlock()
	for {
		first, news, changed := e.eventsFrom(&next)
		for i, ev := range news {
			if (ev.TimeNano >= since || first+i >= now) && f.has("type", ev.Type) && f.has("event", ev.Action) && f.labels(ev.Actor.Attributes) {
				if json.NewEncoder(w).Encode(ev) != nil {
					return
				}
			}
		}
		w.(http.Flusher).Flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// eventsFrom returns the events from next on, with the number of the first of them, and sets next to the one after them.
func (e *Engine) eventsFrom(next *int) (first int, news []event, changed <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	oldest := e.events - len(e.history)
	first = max(*next, oldest)
	news = append(news, e.history[first-oldest:]...)
	*next = e.events
	return first, news, e.changed
}

// nanoseconds reads a time such as 5.000000007.
func nanoseconds(text string) int64 {
	var s, ns int64
	if _, err := fmt.Sscanf(text, "%d.%d", &s, &ns); err == nil {
		return s*1e9 + ns
	}
	s, _ = strconv.ParseInt(text, 10, 64)
	return s * 1e9
}
