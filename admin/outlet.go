package admin

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	maxStreams = 64               // open at a time, event streams and logs together
	stallLimit = 10 * time.Second // a client that takes nothing for so long is dropped
)

// outlet is an answer without an end: what is written leaves at once, and a client that does not read is dropped instead of waited for.
type outlet struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool // something was written, so the status is out
}

func newOutlet(w http.ResponseWriter) *outlet {
	return &outlet{w: w, control: http.NewResponseController(w)}
}

func (o *outlet) Write(b []byte) (int, error) {
	if err := o.control.SetWriteDeadline(time.Now().Add(stallLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	o.begun = true
	n, err := o.w.Write(b)
	if err != nil {
		return n, err
	}
	return n, o.control.Flush()
}

// admit gives a stream its place. Without one the client was told so. The context ends with the request and when the server stops.
func (p *plane) admit(w http.ResponseWriter, r *http.Request) (ctx context.Context, leave func(), ok bool) {
	select {
	case p.streams <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "5")
		problem{Status: http.StatusServiceUnavailable, Code: "too-many-streams", Detail: "too many streams are open; close one"}.write(w)
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(r.Context())
	unlink := context.AfterFunc(p.Stop, cancel)
	return ctx, func() { unlink(); cancel(); <-p.streams }, true
}
