package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnswersOfEveryForm(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nX-Understudy-Worker: w7\r\nX-UNDERSTUDY-worker: w8\r\nx-understudy-start: spare\r\nX-Understudy-Start: cold\r\nServer-Timing: queue;dur=1\r\nSERVER-timing: service;dur=2\r\n"
	large := strings.Repeat("x", 100_000)
	for _, c := range []struct {
		name, method, answer string
		body                 string
		connections          int32 // for three requests
	}{
		{"a length", "GET", head + "Content-Length: 5\r\n\r\nhello", "hello", 1},
		{"more than is kept", "GET", head + "Content-Length: 100000\r\n\r\n" + large, large[:bodyKept], 1},
		{"chunks", "GET", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n", "hello", 1},
		{"until the end", "GET", head + "\r\nhello", "hello", 3},
		{"told to close", "GET", head + "Connection: close\r\nContent-Length: 5\r\n\r\nhello", "hello", 3},
		{"HTTP/1.0", "GET", strings.Replace(head, "1.1", "1.0", 1) + "Content-Length: 5\r\n\r\nhello", "hello", 3},
		{"HEAD", "HEAD", head + "Content-Length: 5\r\n\r\n", "", 1},
		{"no content", "POST", strings.Replace(head, "200", "204", 1) + "\r\n", "", 1},
		{"interim answers first", "POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Understudy-Worker: no\r\n\r\n" + head + "Content-Length: 5\r\n\r\nhello", "hello", 1},
		{"bytes behind it", "GET", head + "Content-Length: 5\r\n\r\nhelloHTTP/1.1 500 Evil\r\n\r\n", "hello", 3},
	} {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprint(c.name, ", own connection ", own), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					far := peers(t, func(n int, conn net.Conn, r *bufio.Reader) {
						if c.connections == 1 {
							always(c.answer)(n, conn, r)
						} else if _, ok := take(r); ok {
							_, _ = io.WriteString(conn, c.answer)
						}
					})
					s := mustSender(t, Options{Method: c.method, Dial: far.dial})
					defer s.close()
					who := callerWith(bodyKept)
					who.own = own
					defer who.leave()
					for range 3 {
						a, err := s.send(t.Context(), task{capability: "x"}, who)
						if err != nil || a.worker != "w7" || a.start != "spare" || a.timing != "queue;dur=1,service;dur=2" || string(a.body) != c.body {
							t.Errorf("%+v, %v", a, err)
						}
						synctest.Wait()
					}
					if far.made.Load() != c.connections {
						t.Errorf("%d connections, want %d", far.made.Load(), c.connections)
					}
				})
			})
		}
	}
}

// TestAnAnswerWhileTheRequestIsStillBeingWritten: who refuses a body need not read it, and what it says is the outcome.
func TestAnAnswerWhileTheRequestIsStillBeingWritten(t *testing.T) {
	const refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
	body := map[string][]byte{"x": make([]byte, 1<<20)}
	for name, play := range map[string]func(net.Conn, *bufio.Reader){
		"it stays open": func(c net.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, refusal)
			pause(context.Background(), time.Minute)
		},
		"it closes": func(c net.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, refusal)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := peers(t, func(n int, c net.Conn, r *bufio.Reader) {
					if n > 0 {
						play(c, r)
					}
				})
				report, err := Run(t.Context(), Options{N: 2, Mix: Mix{{"x", 1}}, Bodies: body, Dial: far.dial}, nil)
				if err != nil || report.Statuses[413] != 2 || report.ErrorsByCause[Status] != 2 || report.Latency.Max > 2 {
					t.Errorf("%v %v %v, %v", report.Statuses, report.ErrorSamples, report.Latency, err)
				}
			})
		})
	}
}

func TestALargeBodyGoesOutWholeOnOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 300_000
		whole := 0
		far := peers(t, func(n int, c net.Conn, r *bufio.Reader) {
			for {
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				if got, err := io.Copy(io.Discard, request.Body); err == nil && got == size {
					whole++
				}
				synctest.Wait() // the client knows that it has written all
				_, _ = io.WriteString(c, okay)
			}
		})
		report, err := Run(t.Context(), Options{N: 5, Mix: Mix{{"x", 1}}, Bodies: map[string][]byte{"": make([]byte, size)}, Dial: far.dial}, nil)
		if err != nil || report.Errors != 0 || whole != 5 || far.made.Load() != 2 {
			t.Errorf("%v, %d whole, %d connections, %v", report.ErrorSamples, whole, far.made.Load(), err)
		}
	})
}

func TestInterimAnswersWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := peers(t, func(n int, c net.Conn, r *bufio.Reader) {
			if n > 0 {
				take(r)
			}
			for err := error(nil); n > 0 && err == nil; {
				_, err = io.WriteString(c, "HTTP/1.1 102 Processing\r\n\r\n")
			}
		})
		report, err := Run(t.Context(), Options{N: 2, Mix: Mix{{"x", 1}}, Dial: far.dial}, nil)
		if err != nil || report.ErrorsByCause[Protocol] != 2 || !strings.Contains(report.ErrorSamples[Protocol], "interim") {
			t.Errorf("%v, %v", report.ErrorSamples, err)
		}
	})
}

// TestConnectionsOfAnOpenLoopAreUsedAgain: as many as requests overlap.
func TestConnectionsOfAnOpenLoopAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := peers(t, func(n int, c net.Conn, r *bufio.Reader) {
			for _, ok := take(r); ok; _, ok = take(r) {
				pause(t.Context(), 25*time.Millisecond)
				_, _ = io.WriteString(c, okay)
			}
		})
		report, err := Run(t.Context(), Options{Rate: 100, N: 200, Mix: Mix{{"x", 1}}, Dial: far.dial}, nil)
		if err != nil || report.Errors != 0 || far.made.Load() != 4 {
			t.Errorf("%d connections, %v, %v", far.made.Load(), report.ErrorSamples, err)
		}
	})
}

// TestConnectionsEndWithTheRun: those that are in use when it is given up, and those that are not.
func TestConnectionsEndWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		far := peers(t, func(_ int, c net.Conn, r *bufio.Reader) { take(r); _, _ = r.ReadByte() })
		s := mustSender(t, Options{Dial: far.dial})
		defer s.close()
		ended := make(chan error)
		who := callerWith(1)
		go func() {
			_, err := s.send(ctx, task{capability: "x"}, who)
			ended <- err
		}()
		synctest.Wait()
		cancel(errInterrupted)
		if err := <-ended; err != errInterrupted || classify(ctx, err) != Interrupted {
			t.Error(err)
		}
	})
}

// TestAConnectionThatIsClosedIsForgotten: a run that makes many must not keep them all until its end.
func TestAConnectionThatIsClosedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var touched atomic.Int32
		dial := func(context.Context, string, string) (net.Conn, error) { return &touchy{touched: &touched}, nil }
		s := mustSender(t, Options{Dial: dial}).(*plainSender)
		for range 2 {
			conn, err := s.dial(ctx, time.Now().Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if touched.Load() == 0 { // the first is closed, the second is not
				_ = conn.Close()
			}
			touched.Store(1)
		}
		cancel()
		synctest.Wait()
		if n := touched.Load(); n != 2 {
			t.Errorf("%d connections were aborted, want the open one", n-1)
		}
	})
}

// touchy counts how often it is aborted.
type touchy struct {
	net.Conn
	touched *atomic.Int32
}

func (c *touchy) SetDeadline(time.Time) error { c.touched.Add(1); return nil }
func (*touchy) Close() error                  { return nil }

// endless answers whatever it is sent, without a network.
type endless struct {
	net.Conn
	answer string
}

func (e endless) Read(p []byte) (int, error)  { return copy(p, e.answer), nil }
func (e endless) Write(p []byte) (int, error) { return len(p), nil }
func (endless) SetDeadline(time.Time) error   { return nil }
func (endless) Close() error                  { return nil }

// TestARequestCostsOneAllocation: the text of the answer's head.
func TestARequestCostsOneAllocation(t *testing.T) {
	for _, own := range []bool{true, false} {
		dial := func(context.Context, string, string) (net.Conn, error) {
			return endless{answer: "HTTP/1.1 200 OK\r\nX-Understudy-Worker: w7\r\nServer-Timing: queue;dur=1, service;dur=2\r\nContent-Length: 2\r\n\r\nok"}, nil
		}
		s := mustSender(t, Options{Dial: dial})
		who := callerWith(bodyKept)
		who.own = own
		what := task{capability: "x", body: []byte("{}")}
		send := func() {
			if a, err := s.send(t.Context(), what, who); err != nil || a.worker != "w7" {
				t.Fatal(a, err)
			}
		}
		if send(); testing.AllocsPerRun(100, send) > 1 {
			t.Errorf("own connection %v: %v allocations", own, testing.AllocsPerRun(100, send))
		}
		who.leave()
		s.close()
	}
}
