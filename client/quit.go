package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	quitBound   = 2 * time.Minute        // a drain of every pool, and then some
	quitTry     = 5 * time.Second        // for one request
	quitPolling = 100 * time.Millisecond // between two looks
)

// Quit asks the balancer whose admin address is adminURL to drain and end, and returns when it has: when nothing takes connections
// there any more. token is sent as Bearer where it is not empty. Bounded by ctx and by two minutes.
func Quit(ctx context.Context, adminURL, token string) error {
	if err := checkTarget(adminURL); err != nil {
		return fmt.Errorf("the admin address is wrong: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, quitBound)
	defer cancel()
	// Fresh connections, so that a listener that has closed is seen as closed.
	q := quitter{base: strings.TrimSuffix(adminURL, "/"), http: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       quitTry,
	}}
	if err := q.ask(ctx, token); err != nil {
		return err
	}
	return q.waitForEnd(ctx)
}

type quitter struct {
	base string
	http *http.Client
}

func (q quitter) ask(ctx context.Context, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, q.base+"/api/v1/quit", nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := q.http.Do(request)
	if err != nil {
		if brokenOff(err) {
			return nil // it may have ended faster than it answered; waitForEnd will tell
		}
		return fmt.Errorf("no balancer answers at %s (%s); is it running, and is this its admin address?", q.base, reason(err))
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, bodyKept)) // only for the message
	switch {
	case response.StatusCode < 300:
		return nil
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the balancer at %s refuses to be told to quit (%d); give the admin token it was configured with",
			q.base, response.StatusCode)
	}
	return fmt.Errorf("what answers at %s does not know how to quit (%s); is this the admin address of a balancer?",
		q.base, statusDetail(answer{status: response.StatusCode, body: body}))
}

func (q quitter) waitForEnd(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !q.gone(ctx) {
		if !wait(ctx, timer, quitPolling) {
			return fmt.Errorf("the balancer at %s was told to quit and is still there: %w; look at its log for what it is waiting for",
				q.base, context.Cause(ctx))
		}
	}
	return nil
}

// gone tells whether nothing listens there any more. A balancer that is slow, or drops a connection, is still there.
func (q quitter) gone(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.base+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := q.http.Do(request)
	if err == nil {
		response.Body.Close()
		return false
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout() && ctx.Err() == nil
}
