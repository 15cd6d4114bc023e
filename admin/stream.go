package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	streamEvery = time.Second
	beatEvery   = 15 // ticks; a comment that keeps proxies from closing a stream, whatever the events are
)

// serveStream sends server-sent events: `status` at once and each second, and `decision` for each new entry of the journal. A client that
// comes back with Last-Event-ID gets the decisions it missed, as far as the journal goes.
func (p *plane) serveStream(w http.ResponseWriter, r *http.Request) {
	ctx, leave, ok := p.admit(w, r)
	if !ok {
		return
	}
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect it
	s := &eventStream{plane: p, out: newOutlet(w), seen: p.resumeAt(r.Header.Get("Last-Event-ID"))}
	s.run(ctx)
}

// eventStream is one client's stream. Only its request's goroutine uses it.
type eventStream struct {
	*plane
	out  *outlet
	seen uint64 // number of the last decision sent or not asked for
}

// run sends until ctx ends or the client stops reading.
func (s *eventStream) run(ctx context.Context) {
	if _, err := io.WriteString(s.out, "retry: 2000\n\n"); err != nil {
		return
	}
	ticker := time.NewTicker(streamEvery)
	defer ticker.Stop()
	for n := 1; ; n++ {
		if err := s.tell(n%beatEvery == 0); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *eventStream) tell(beat bool) error {
	if beat {
		if _, err := io.WriteString(s.out, ": beat\n\n"); err != nil {
			return err
		}
	}
	if err := s.send("status", "", s.status()); err != nil {
		return err
	}
	for _, d := range s.since(s.seen) {
		if err := s.send("decision", s.eventID(d.Number), d); err != nil {
			return err
		}
		s.seen = d.Number
	}
	return nil
}

func (s *eventStream) send(event, id string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	_, err = fmt.Fprintf(s.out, "event: %s\n%sdata: %s\n\n", event, id, body)
	return err
}

// eventID names a decision across restarts: the numbers of another process say nothing.
func (p *plane) eventID(number uint64) string {
	return fmt.Sprintf("%d-%d", p.Start.UnixMilli(), number)
}

// resumeAt is the last decision a client has seen: what its id says; nothing when the id is of an earlier process; all when it has none.
func (p *plane) resumeAt(id string) uint64 {
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
