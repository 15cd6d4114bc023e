package client

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
)

// TestAConnectionThatWasClosedWhileIdle: the request is made again where that is safe, and counts once in any case.
func TestAConnectionThatWasClosedWhileIdle(t *testing.T) {
	closing := func(net.Conn, *bufio.Reader) int { return 0 } // before it reads
	reading := func(_ net.Conn, r *bufio.Reader) int { take(r); return 1 }
	beginning := func(c net.Conn, r *bufio.Reader) int {
		take(r)
		_, _ = io.WriteString(c, "HTTP/1.1 2")
		return 1
	}
	for _, c := range []struct {
		name, method  string
		end           func(net.Conn, *bufio.Reader) int // of the connection that has answered once; how many requests it takes
		errors, takes int
	}{
		{"nothing was written", "POST", closing, 0, 2},
		{"nothing was written", "GET", closing, 0, 2},
		{"the request was taken", "POST", reading, 1, 2},
		{"the request was taken", "GET", reading, 0, 3},
		{"the answer had begun", "POST", beginning, 1, 2},
		{"the answer had begun", "GET", beginning, 1, 2},
	} {
		t.Run(c.name+", "+c.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var taken atomic.Int32
				far := peers(t, func(n int, conn net.Conn, r *bufio.Reader) {
					if n == 0 {
						return
					}
					if _, ok := take(r); ok {
						taken.Add(1)
						_, _ = io.WriteString(conn, okay)
					}
					if n == 1 {
						taken.Add(int32(c.end(conn, r)))
					}
				})
				report, err := Run(t.Context(), Options{N: 2, Method: c.method, Mix: Mix{{"x", 1}}, Dial: far.dial}, nil)
				if err != nil || report.Count != 2 || report.Errors != c.errors || report.ErrorsByCause[Reset] != c.errors || int(taken.Load()) != c.takes {
					t.Errorf("%d requests, errors %v, %d taken, %v", report.Count, report.ErrorSamples, taken.Load(), err)
				}
			})
		})
	}
}

// TestARequestIsMadeAgainOnceAtMost: a new connection that fails is a failure.
func TestARequestIsMadeAgainOnceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := peers(t, func(n int, c net.Conn, r *bufio.Reader) {
			if n == 1 {
				take(r)
				_, _ = io.WriteString(c, okay)
			}
		})
		report, err := Run(t.Context(), Options{N: 2, Method: "GET", Mix: Mix{{"x", 1}}, Dial: far.dial}, nil)
		if err != nil || report.Count != 2 || report.ErrorsByCause[Reset] != 1 || far.made.Load() != 3 {
			t.Errorf("%+v, %v, %d connections", report.ErrorsByCause, err, far.made.Load())
		}
	})
}

// TestATargetThatAlwaysClosesUnannounced: a look at the connection, or making the request again, hides it from who asks for what is safe.
func TestATargetThatAlwaysClosesUnannounced(t *testing.T) {
	target := raw(t, okay)
	report, err := Run(t.Context(), Options{Target: target, N: 200, Method: "GET", Concurrency: 1, Mix: Mix{{"x", 1}}}, nil)
	if err != nil || report.Count != 200 || report.Errors != 0 {
		t.Errorf("%v %v, %v", report.ErrorsByCause, report.ErrorSamples, err)
	}
}

// deaf takes so many requests and then none, and always has something to say.
type deaf struct {
	endless
	takes int
}

func (d *deaf) Write(p []byte) (int, error) {
	if d.takes--; d.takes < 0 {
		return 0, syscall.EPIPE
	}
	return len(p), nil
}

// TestWhoeverTakesNoRequestMaySayWhy: on a new connection what it says is the outcome, on one used before a farewell to nobody.
func TestWhoeverTakesNoRequestMaySayWhy(t *testing.T) {
	const refusal = "HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name     string
		takes    int
		statuses []int
	}{{"a new connection", 0, []int{503, 503}}, {"one used before", 1, []int{200, 200}}} {
		dial := func(context.Context, string, string) (net.Conn, error) {
			d := &deaf{endless: endless{answer: refusal}, takes: c.takes}
			if c.takes > 0 {
				d.answer = okay
			}
			return d, nil
		}
		s := mustSender(t, Options{Dial: dial})
		who := callerWith(bodyKept)
		who.own = true
		for _, want := range c.statuses {
			a, err := s.send(t.Context(), task{capability: "x"}, who)
			if err != nil || a.status != want {
				t.Errorf("%s: %d, %v", c.name, a.status, err)
			}
			if who.kept != nil {
				who.kept.NetConn().(*bound).Conn.(*deaf).answer = refusal
			}
		}
		who.leave()
		s.close()
	}
}
