package balancer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/h1"
)

// still is a balancer whose one worker is a function behind a pipe, in a bubble where time passes only when everybody waits.
type still struct {
	t        *testing.T
	balancer *Balancer
	records  *records
}

func newStill(t *testing.T, p config.Pool, worker func(c net.Conn, r *bufio.Reader)) *still {
	t.Helper()
	f := fleetOf([]config.Pool{p})
	s := &still{t: t, records: newRecords()}
	s.balancer = New(Options{Fleet: f, Config: &config.Config{Pools: []config.Pool{p}}, Recorder: s.records, Prober: newScript()})
	var workers sync.WaitGroup
	s.balancer.upstreams.dial = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		workers.Go(func() {
			defer far.Close()
			worker(far, bufio.NewReader(far))
		})
		return near, nil
	}
	if _, err := f.Add(fleet.Info{ID: "w", Pool: p.Name, Address: "http://w", Generation: "g", Origin: fleet.Cold}); err != nil {
		t.Fatal(err)
	}
	f.Ready("w", "", 100)
	t.Cleanup(func() {
		f.Remove("w")
		workers.Wait()
	})
	return s
}

// serve sends one request through, and tells how long it took and whether the answer was broken off.
func (s *still) serve(r *http.Request) (w *leanFront, took time.Duration, cut bool) {
	began := time.Now()
	w = &leanFront{ctx: r.Context(), fields: h1.Fields{{Name: "Host", Value: "h"}}}
	defer func() {
		took = time.Since(began)
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			cut = true
		}
	}()
	s.balancer.ServeHTTP(w, r)
	return w, 0, false
}

// bare is a request as a lean front hands it over.
func bare(ctx context.Context, method string, body io.ReadCloser, length int64) *http.Request {
	r := &http.Request{Method: method, RequestURI: "/mult", Host: "h", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:1", Body: body, ContentLength: length}
	return r.WithContext(ctx)
}

func timedPool() config.Pool {
	p := pool("general", "mult")
	p.Timeout, p.IdleTimeout = 3*time.Second, 7*time.Second
	return p
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestAWorkerHasItsTimeAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause := time.Duration(0)
		s := newStill(t, timedPool(), func(c net.Conn, r *bufio.Reader) {
			for {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				<-time.After(pause)
				if _, err := io.WriteString(c, okAnswer); err != nil {
					return
				}
			}
		})
		for i, tt := range []struct {
			pause  time.Duration
			status int
			took   time.Duration
		}{
			{0, 200, 0},
			{5 * time.Millisecond, 200, 5 * time.Millisecond},
			{3*time.Second - time.Millisecond, 200, 3*time.Second - time.Millisecond}, // with a deadline left from the request before
			{time.Millisecond, 200, time.Millisecond},
			{3*time.Second + time.Millisecond, 504, 3 * time.Second}, // the same
			{time.Millisecond, 200, time.Millisecond},
		} {
			pause = tt.pause
			w, took, cut := s.serve(bare(t.Context(), "POST", http.NoBody, 0))
			if w.status != tt.status || took != tt.took || cut {
				t.Errorf("request %d: %d after %v, want %d after %v", i, w.status, took, tt.status, tt.took)
			}
			synctest.Wait()
		}
	})
}

func TestASilentWorkerIsCutOffAfterTheIdleTime(t *testing.T) {
	for name, head := range map[string]string{"of known length": "Content-Length: 10\r\n\r\n", "chunked": "Transfer-Encoding: chunked\r\n\r\n5\r\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStill(t, timedPool(), func(c net.Conn, r *bufio.Reader) {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+head)
					<-time.After(6 * time.Second)
					_, _ = io.WriteString(c, "12345")
					_, _ = io.Copy(io.Discard, r)
				})
				if _, took, cut := s.serve(bare(t.Context(), "GET", http.NoBody, 0)); !cut || took != 13*time.Second {
					t.Errorf("cut off: %v, after %v", cut, took)
				}
				if got := <-s.records.finished; got.code != 504 {
					t.Errorf("recorded as %d", got.code)
				}
			})
		})
	}
}

// slowBody yields a byte after each pause, and then its end.
type slowBody struct {
	pause time.Duration
	left  int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	b.left--
	<-time.After(b.pause)
	p[0] = 'x'
	return 1, nil
}

func (b *slowBody) Close() error { return nil }

func TestTheWorkersTimeRunsFromWhenItLastTookSomeOfTheBody(t *testing.T) {
	for _, tt := range []struct {
		think  time.Duration
		status int
		took   time.Duration
	}{{2 * time.Second, 200, 22 * time.Second}, {4 * time.Second, 504, 23 * time.Second}} {
		t.Run(fmt.Sprint(tt.think), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStill(t, timedPool(), func(c net.Conn, r *bufio.Reader) {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if text, _ := io.ReadAll(req.Body); string(text) != "xxxxx" {
						t.Errorf("the worker got %q", text)
					}
					<-time.After(tt.think)
					_, _ = io.WriteString(c, okAnswer)
				})
				w, took, _ := s.serve(bare(t.Context(), "POST", &slowBody{4 * time.Second, 5}, -1))
				if w.status != tt.status || took != tt.took {
					t.Errorf("%d after %v, want %d after %v", w.status, took, tt.status, tt.took)
				}
			})
		})
	}
}

func TestAWorkerThatTakesNothingOfABodyRunsOutOfTime(t *testing.T) {
	for _, length := range []int64{10_000, 200_000} { // in one piece with the head, and by an upload
		synctest.Test(t, func(t *testing.T) {
			s := newStill(t, timedPool(), func(_ net.Conn, r *bufio.Reader) {
				if _, err := http.ReadRequest(r); err == nil {
					<-time.After(time.Hour)
				}
			})
			body := io.NopCloser(io.LimitReader(zeros{}, length))
			if w, took, _ := s.serve(bare(t.Context(), "POST", body, length)); w.status != 504 || took != 3*time.Second {
				t.Errorf("%d bytes: %d after %v", length, w.status, took)
			}
		})
	}
}

func TestAClientThatLeavesEndsWhateverIsWaitedFor(t *testing.T) {
	worker := map[string]string{"for the head": "", "for the rest of the head": "HTTP/1.1 200 OK\r\n", "for the body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"}
	for name, says := range worker {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hungUp := false
				s := newStill(t, timedPool(), func(c net.Conn, r *bufio.Reader) {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					if says != "" { // a pipe passes on even that nothing was written
						_, _ = io.WriteString(c, says)
					}
					_, err := r.ReadByte()
					hungUp = err != nil
				})
				ctx, leave := context.WithTimeout(t.Context(), time.Second)
				defer leave()
				_, took, cut := s.serve(bare(ctx, "GET", http.NoBody, 0))
				synctest.Wait()
				if !cut || took != time.Second || !hungUp {
					t.Errorf("cut off: %v, after %v, the worker let go: %v", cut, took, hungUp)
				}
				if got := <-s.records.finished; got.code != 499 || s.records.total("lost")+s.records.total("retry") > 0 {
					t.Errorf("recorded as %d, %v", got.code, s.records.counts)
				}
			})
		})
	}
}

func TestABodyThatIsNotAsLongAsItSaysIsTheClientsFault(t *testing.T) {
	for _, tt := range []struct{ says, is int64 }{{10, 5}, {5, 10}, {100_000, 99_999}, {100_000, 100_001}} {
		synctest.Test(t, func(t *testing.T) {
			s := newStill(t, timedPool(), func(_ net.Conn, r *bufio.Reader) {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				if n, err := io.Copy(io.Discard, req.Body); err == nil {
					t.Errorf("the worker got a whole body of %d bytes", n)
				}
			})
			body := io.NopCloser(io.LimitReader(zeros{}, tt.is))
			if w, _, _ := s.serve(bare(t.Context(), "POST", body, tt.says)); w.status != 400 {
				t.Errorf("%d bytes instead of %d: %d", tt.is, tt.says, w.status)
			}
			if s.records.total("lost") > 0 {
				t.Error("the worker is blamed")
			}
		})
	}
}
