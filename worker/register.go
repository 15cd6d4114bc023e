package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	registerTimeout = 5 * time.Second        // for one call
	registerEvery   = 10 * time.Second       // so that a planner that was restarted learns of this worker
	firstRetry      = 100 * time.Millisecond // after a failure, doubled with each one that follows
	slowestRetry    = 5 * time.Second
)

// call is one registration, ready to be sent as often as needed.
type call struct {
	url  string
	body []byte
}

// registration says where to register, and as what. Capabilities and concurrency are sent only when they were set: the original protocol
// has neither.
func (w *Worker) registration(listening net.Addr) call {
	address := w.opts.Address
	if address == "" {
		address = "http://" + reachable(listening)
	}
	body, _ := json.Marshal(struct { // cannot fail: strings and numbers
		URL          string   `json:"url"`
		ID           string   `json:"id"`
		Capabilities []string `json:"capabilities,omitempty"`
		Concurrency  int      `json:"concurrency,omitempty"`
	}{address, w.opts.ID, w.announced(), w.opts.Concurrency})
	base := strings.TrimSuffix(strings.TrimRight(w.opts.Register, "/"), "/register")
	return call{url: base + "/register", body: body}
}

// announced is the list of capabilities to send: none when the worker was given none.
func (w *Worker) announced() []string {
	if w.opts.Capabilities == nil {
		return nil
	}
	return w.kinds
}

// reachable is how a program on this host reaches the address: one that stands for every address of the host becomes localhost.
func reachable(address net.Addr) string {
	if tcp, ok := address.(*net.TCPAddr); ok && (len(tcp.IP) == 0 || tcp.IP.IsUnspecified()) {
		return net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
	}
	return address.String()
}

// keepRegistered registers until it is accepted, then again and again, until ctx ends. It logs when that begins to work and when it
// begins to fail, not each time.
func (w *Worker) keepRegistered(ctx context.Context, c call) {
	var failed error
	accepted := false
	retry := firstRetry
	for ctx.Err() == nil {
		err := w.register(ctx, c)
		wait := registerEvery
		switch {
		case err != nil && ctx.Err() != nil:
			return
		case err != nil:
			if failed == nil || failed.Error() != err.Error() {
				w.log.Warn("cannot register, trying again until it is accepted", "url", c.url, "cause", err)
			}
			wait, retry = retry, min(2*retry, slowestRetry)
		case !accepted || failed != nil:
			w.log.Info("registered", "url", c.url)
			accepted, retry = true, firstRetry
		}
		failed = err
		pause(ctx, wait)
	}
}

// register makes one call; anything but an answer from 200 to 299 is an error.
func (w *Worker) register(ctx context.Context, c call) error {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: w.transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 200)) // what it says is a hint, no more
		return fmt.Errorf("the answer was %s: %s", response.Status, bytes.TrimSpace(said))
	}
	return nil
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
