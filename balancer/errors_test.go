package balancer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"understudy/fleet"
)

func TestErrorsFromBelowBecomeWhatTheContractSays(t *testing.T) {
	tests := []struct {
		err    error
		status int
		code   string
	}{
		{fleet.ErrUnknownCapability, 404, "unknown-capability"},
		{fmt.Errorf("mult: %w", fleet.ErrQueueFull), 503, "queue-full"},
		{fleet.ErrQueueTimeout, 503, "queue-timeout"},
		{fleet.ErrNoWorker, 503, "no-worker"},
		{errDraining, 503, "draining"},
		{errWorkerBusy, 503, "worker-busy"},
		{errWorkerTimeout, 504, "worker-timeout"},
		{errTooLarge, 413, "body-too-large"},
		{errSlowClient, 408, "request-timeout"},
		{unfit{"x"}, 422, "unfit-worker"},
		{malformed{"x"}, 400, "malformed-request"},
		{io.ErrUnexpectedEOF, 502, "worker-failed"},
		{errors.New("anything else"), 502, "worker-failed"},
	}
	for _, tt := range tests {
		if p := problemOf(tt.err); p.status != tt.status || p.code != tt.code {
			t.Errorf("%v: %d %s, want %d %s", tt.err, p.status, p.code, tt.status, tt.code)
		}
	}
}

func TestAProblemIsOneObjectAndNoMarkup(t *testing.T) {
	w := httptest.NewRecorder()
	errUnknown.write(w, httptest.NewRequest(http.MethodGet, "/", nil), `<script>alert("x")</script>`, []string{"</b>"})
	if strings.ContainsAny(w.Body.String(), "<>") {
		t.Errorf("markup in %s", w.Body)
	}
	var p problemBody
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Detail != `<script>alert("x")</script>` || p.Type != "about:blank" {
		t.Errorf("got %+v %v", p, err)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", w.Header())
	}
	w = httptest.NewRecorder()
	errUnknown.write(w, httptest.NewRequest(http.MethodHead, "/", nil), "", nil)
	if w.Body.Len() > 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d bytes, length %s", w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

func TestAnAddressThatIsNoneIsTheWorkersFault(t *testing.T) {
	p := pool("general", "mult")
	p.Queue.Wait = 50 * time.Millisecond // the request may go to another worker, and waits for one
	w := newWorld(t, p)
	w.add(fleet.Info{Pool: "general", Address: "ftp://h"})
	resp, text := w.post("/mult", "hi")
	if p := problemOfResponse(t, resp, text); p.Code != "worker-failed" || strings.Contains(text, "ftp") {
		t.Errorf("got %+v", p)
	}
	until(t, "the slot is free", w.idle)
}
