package balancer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A pump that has found room, and has not begun to read when the exchange ends, does not begin any more: it would take the place of the limit that
// ends it, and the answer would wait with it for the client.
func TestAReadThatBeginsWhenTheBodyIsClosedDoesNotWaitForTheClient(t *testing.T) {
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	src := &counted{}
	b := &body{src: src, rc: http.NewResponseController(w), idle: time.Hour, known: 1 << 20, asks: true}
	b.changed.L = &b.mu
	b.close()
	if n, err := b.read(make([]byte, 10)); n > 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if src.reads > 0 || w.last.After(time.Now().Add(time.Minute)) {
		t.Errorf("%d reads, the last limit is in %v", src.reads, time.Until(w.last))
	}
}

// deadlines keeps the last limit that was set for reading.
type deadlines struct {
	http.ResponseWriter
	last time.Time
}

func (d *deadlines) SetReadDeadline(by time.Time) error { d.last = by; return nil }

// counted is a source that counts how often it is read.
type counted struct{ reads int }

func (c *counted) Read([]byte) (int, error) { c.reads++; return 0, io.ErrUnexpectedEOF }
