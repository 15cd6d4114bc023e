package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"understudy/fleet"
)

// TestVolume: a large upload and a large download leave the memory as it was: nothing keeps more of a body than its buffer. 20 MB always,
// 200 MB with UNDERSTUDY_ACCEPTANCE=full.
func TestVolume(t *testing.T) {
	size := int64(often(200, 20)) << 20
	worker := func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			rw.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.CopyN(rw, zeros{}, size)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(rw, n, err)
	}
	// flat runs fn and asserts that the heap's highest level stays below what a buffered body would take.
	flat := func(x *trial, fn func()) {
		before := memory()
		var most atomic.Uint64
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			ticker := time.NewTicker(5 * time.Millisecond) // each look collects garbage, which is most of what this test costs
			defer ticker.Stop()
			for {
				most.Store(max(most.Load(), memory()))
				select {
				case <-stop:
					return
				case <-ticker.C:
				}
			}
		}()
		fn()
		close(stop)
		<-done
		if grown := int64(most.Load()) - int64(before); grown > 8<<20 {
			x.Errorf("%d MiB took %d MiB of memory", size>>20, grown>>20)
		}
	}
	start := func(x *trial) {
		s := httptest.NewServer(http.HandlerFunc(worker))
		x.Cleanup(s.Close)
		x.join(fleet.Info{ID: "large", Pool: "general", Address: s.URL, Origin: fleet.Cold})
		x.Cleanup(func() { x.fleet.Remove("large") })
		x.bare = settled()
	}
	alone := func(p *plan) { p.workers = nil }
	upload := func(fields string, frame func(io.Writer) io.Writer, end string) func(*trial) {
		return func(x *trial) {
			start(x)
			flat(x, func() {
				c := x.dial().send(post("/mult", fields, ""))
				if _, err := io.CopyN(frame(c.c), zeros{}, size); err != nil {
					x.Errorf("%v", err)
				}
				if a := c.send(end).answer("POST"); a.status != 200 || string(a.body) != fmt.Sprint(size, " <nil>") {
					x.Errorf("status %d %q", a.status, a.body)
				}
			})
		}
	}
	plain := func(w io.Writer) io.Writer { return w }
	accept(t, []row{
		{name: "download", with: alone, run: func(x *trial) {
			start(x)
			flat(x, func() {
				c := x.dial().send(get("/mult", ""))
				m, err := readStart(c.r)
				if err != nil {
					x.Fatal(err)
				}
				if n, err := io.CopyN(io.Discard, c.r, size); n != size || m.get("Content-Length") != fmt.Sprint(size) {
					x.Errorf("%d bytes, %v", n, err)
				}
			})
		}},
		{name: "upload of known size", with: alone, run: upload(fmt.Sprintf("Content-Length: %d\r\n", size), plain, "")},
		{name: "upload in chunks", with: alone, run: upload("Transfer-Encoding: chunked\r\n", func(w io.Writer) io.Writer { return chunker{w} }, "0\r\n\r\n")},
	})
}

// chunker writes each piece as a chunk.
type chunker struct{ w io.Writer }

func (c chunker) Write(p []byte) (int, error) {
	if _, err := fmt.Fprintf(c.w, "%x\r\n%s\r\n", len(p), p); err != nil {
		return 0, err
	}
	return len(p), nil
}
