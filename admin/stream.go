package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// serveStream sends server-sent events. First `status`, which is what /api/v1/status says, and `history`, a Past. Then each second `change`,
// a Change, and a `decision` for each new entry of the journal. A client that comes back with Last-Event-ID gets the decisions it missed
// as events too, as far as the journal goes. A client that does not read is dropped.
func (p *plane) serveStream(w http.ResponseWriter, r *http.Request) {
	ctx, leave, ok := p.admit(w, r)
	if !ok {
		return
	}
	defer leave()
	l, ok := p.Feed.listen(ctx)
	if !ok {
		w.Header().Set("Retry-After", "1")
		problem{Status: http.StatusServiceUnavailable, Code: "draining", Detail: "the balancer is about to end"}.write(w)
		return
	}
	defer p.Feed.leave(l)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect it
	p.relay(ctx, newOutlet(w), l, p.resumeAt(r.Header.Get("Last-Event-ID")))
}

// relay sends what the feed tells until ctx or the feed ends, or the client stops reading.
func (p *plane) relay(ctx context.Context, out *outlet, l *listener, seen uint64) {
	opening := l.opening[:len(l.opening):len(l.opening)] // others begin with the same bytes
	for _, d := range p.since(min(seen, l.told)) {
		if d.Number <= l.told {
			opening = appendEvent(opening, "decision", p.eventID(d.Number), d)
		}
	}
	if _, err := out.Write(opening); err != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case frame, ok := <-l.frames:
			if !ok {
				return
			}
			if _, err := out.Write(frame); err != nil {
				return
			}
		}
	}
}

// appendEvent adds one event. What cannot be JSON is a fault of ours and shows as an event without data.
func appendEvent(frame []byte, event, id string, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		body = []byte("null")
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return fmt.Appendf(frame, "event: %s\n%sdata: %s\n\n", event, id, body)
}

// eventID names a decision across restarts: the numbers of another process say nothing.
func (p *view) eventID(number uint64) string {
	return fmt.Sprintf("%d-%d", p.Start.UnixMilli(), number)
}

// resumeAt is the last decision a client has seen: what its id says; nothing when the id is of an earlier process; all when it has none.
func (p *view) resumeAt(id string) uint64 {
	total := p.Journal.Total()
	if id == "" {
		return total
	}
	process, number, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || process != strconv.FormatInt(p.Start.UnixMilli(), 10) {
		return 0
	}
	return min(n, total)
}
