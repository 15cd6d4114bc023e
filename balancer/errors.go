package balancer

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"understudy/fleet"
)

// problem is an error that knows what a client is told about it. The list below is the whole table: status, stable code, title.
type problem struct {
	status int
	code   string
	title  string
}

func (p *problem) Error() string { return p.title }

var (
	errMalformed      = &problem{http.StatusBadRequest, "malformed-request", "The request is malformed"}
	errPlain          = &problem{http.StatusBadRequest, "https-required", "This address speaks HTTPS, not HTTP"} // encrypt.go writes it
	errForbidden      = &problem{http.StatusForbidden, "forbidden", "This address may not speak to this listener"}
	errUnknown        = &problem{http.StatusNotFound, "unknown-capability", "No pool has this capability"}
	errNoSuchPage     = &problem{http.StatusNotFound, "not-found", "There is nothing here"}
	errMethod         = &problem{http.StatusMethodNotAllowed, "method-not-allowed", "This method is not allowed here"}
	errSlowClient     = &problem{http.StatusRequestTimeout, "request-timeout", "The request did not arrive in time"}
	errConflict       = &problem{http.StatusConflict, "id-taken", "A worker that did not register has this id"}
	errTooLarge       = &problem{http.StatusRequestEntityTooLarge, "body-too-large", "The request's body is too large"}
	errExpectation    = &problem{http.StatusExpectationFailed, "expectation-failed", "What the request expects is not done here"}
	errHeadTooLarge   = &problem{http.StatusRequestHeaderFieldsTooLarge, "head-too-large", "The request's head is too large"}
	errCoding         = &problem{http.StatusNotImplemented, "coding-not-implemented", "This transfer coding is not known here"}
	errUnfit          = &problem{http.StatusUnprocessableEntity, "unfit-worker", "This worker cannot be registered"}
	errTooMany        = &problem{http.StatusTooManyRequests, "too-many-requests", "This client sends too many requests"}
	errClientGone     = &problem{statusClientGone, "client-gone", "The client left before it was answered"} // log and metrics only
	errWorkerFailed   = &problem{http.StatusBadGateway, "worker-failed", "The worker failed"}
	errQueueFull      = &problem{http.StatusServiceUnavailable, "queue-full", "Too many requests wait already"}
	errQueueTimeout   = &problem{http.StatusServiceUnavailable, "queue-timeout", "No worker became free in time"}
	errNoWorker       = &problem{http.StatusServiceUnavailable, "no-worker", "No worker can be had"}
	errDraining       = &problem{http.StatusServiceUnavailable, "draining", "The balancer is shutting down"}
	errWorkerBusy     = &problem{http.StatusServiceUnavailable, "worker-busy", "The workers are busy"}
	errTooManyNew     = &problem{http.StatusServiceUnavailable, "too-many-registrations", "Too many workers are being checked"}
	errWorkerTimeout  = &problem{http.StatusGatewayTimeout, "worker-timeout", "The worker took too long"}
	errVersion        = &problem{http.StatusHTTPVersionNotSupported, "version-not-supported", "This listener speaks HTTP/1.0 and HTTP/1.1, and HTTP/2 over TLS"}
	errWorkerStalled  = &problem{http.StatusGatewayTimeout, "worker-timeout", "The worker stopped in the middle of its answer"}
	errForeignUpgrade = &problem{http.StatusBadGateway, "worker-failed", "The worker switched to a protocol that was not asked for"}
)

// statusClientGone is never sent: there is nobody to read it.
const statusClientGone = 499

// problemOf finds what a client is told about an error from anywhere below.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, fleet.ErrUnknownCapability):
		return errUnknown
	case errors.Is(err, fleet.ErrQueueFull):
		return errQueueFull
	case errors.Is(err, fleet.ErrQueueTimeout):
		return errQueueTimeout
	case errors.Is(err, fleet.ErrNoWorker):
		return errNoWorker
	}
	return errWorkerFailed
}

// problemBody is a problem as RFC 9457 writes it. encoding/json escapes whatever could be taken for markup.
type problemBody struct {
	Type         string   `json:"type"`
	Title        string   `json:"title"`
	Status       int      `json:"status"`
	Detail       string   `json:"detail,omitempty"`
	Code         string   `json:"code"`
	Capabilities []string `json:"capabilities,omitempty"`
}

// text is the problem as its body. encoding/json cannot fail on strings and numbers.
func (p *problem) text(detail string, capabilities []string) []byte {
	text, _ := json.Marshal(problemBody{"about:blank", p.title, p.status, detail, p.code, capabilities})
	return append(text, '\n')
}

// write answers with the problem. Headers that belong to the answer must have been set.
func (p *problem) write(w http.ResponseWriter, r *http.Request, detail string, capabilities []string) {
	text := p.text(detail, capabilities)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // a client that is gone cannot be told so
	}
}

// whyTimeout tells a client why no worker became free. While the engine is away those that it runs may be idle and out of reach.
func (b *Balancer) whyTimeout() string {
	if b.fleet.Engine().Away() {
		return "The engine that runs the workers is away: none can be started, and those there are may be out of reach. " +
			"None could be had for as long as a request may wait now (queue.wait); Retry-After says when to try again."
	}
	return "Every worker stayed busy for as long as a request may wait now (queue.wait); Retry-After says when to try again."
}
