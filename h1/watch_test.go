package h1

import (
	"io"
	"net/http"
	"testing"
)

func TestServerTellsWhoWantsToKnowThatTheClientLeft(t *testing.T) {
	told, late := make(chan struct{}), make(chan struct{})
	began := make(chan struct{})
	s := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		front := w.(FieldWriter)
		front.OnGone(func() { t.Error("this was taken back") })
		front.OnGone(nil)
		front.OnGone(func() { close(told) })
		close(began)
		<-r.Context().Done()
		<-told
		front.OnGone(func() { close(late) })
		front.OnGone(nil)
	})
	c := s.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	_ = c.Close()
	<-told
	<-late
}
