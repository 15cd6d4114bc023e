// Command cyclist is a worker that tells when it is asked for something after it was told to end: for the tests of workers that come and go
// under load. It answers / at once, /work after ?ms= milliseconds, and at /talk it is a WebSocket that says everything back.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// linger is how long it goes on listening after it was told to end, to catch whoever still comes.
const linger = 100 * time.Millisecond

type cyclist struct{ removed atomic.Bool }

func main() {
	var c cyclist
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") })
	mux.HandleFunc("/work", c.work)
	mux.HandleFunc("/talk", c.talk)
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: mux}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-ended.Done()
		c.removed.Store(true)
		<-time.After(linger)
		server.Close()
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}

// late refuses what comes after the worker was told to end. Nobody may ever see this answer.
func (c *cyclist) late(w http.ResponseWriter) bool {
	if !c.removed.Load() {
		return false
	}
	w.WriteHeader(http.StatusTeapot)
	io.WriteString(w, "this worker was told to end before it got this request")
	return true
}

func (c *cyclist) work(w http.ResponseWriter, r *http.Request) {
	if c.late(w) {
		return
	}
	ms, _ := strconv.Atoi(r.URL.Query().Get("ms")) // none: at once
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		io.WriteString(w, "done")
	case <-r.Context().Done():
	}
}

func (c *cyclist) talk(w http.ResponseWriter, r *http.Request) {
	if c.late(w) {
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		kind, text, err := conn.Read(r.Context())
		if err != nil || conn.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}
