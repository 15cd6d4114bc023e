package probe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers every connection with fn, which may write whatever it likes; the connection is closed when it returns.
func serve(t *testing.T, fn func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fn(c)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// answer reads one request and writes raw.
func answer(raw string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, raw)
		}
	}
}

func TestAnAnswerIsJudgedByStatusAndIdentity(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Understudy-Identity: g1\r\n\r\nok"
	tests := []struct {
		name   string
		raw    string
		target Target
		is     error
		says   string // empty: success
	}{
		{"any status from 200 to 499 will do", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Target{}, nil, ""},
		{"a redirect is an answer and is not followed", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", Target{}, nil, ""},
		{"a 503 is not ready", "HTTP/1.1 503 Nope\r\nContent-Length: 0\r\n\r\n", Target{}, nil, "the status is 503, expected 200 to 499"},
		{"a narrower range holds", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Target{Lo: 200, Hi: 299}, nil, "the status is 404, expected 200 to 299"},
		{"the right identity", ok, Target{Identity: "g1"}, nil, ""},
		{"another identity", ok, Target{Identity: "g2"}, ErrIdentity, "identity"},
		{"no identity", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Target{Identity: "g2"}, ErrIdentity, "identity"},
		{"an identity nobody asked for does no harm", ok, Target{}, nil, ""},
		{"half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", Target{}, io.ErrUnexpectedEOF, "broke off"},
		{"garbage", "hello\r\n\r\n", Target{}, nil, "malformed"},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", Target{}, nil, "exceeded"},
		{"accepts, then closes: the worker behind the published port does not listen yet", "", Target{}, nil, "closed without an answer"},
		{"a long body is not read to its end", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 200<<10), Target{}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.target.Address = serve(t, answer(tt.raw))
			err := New().Check(t.Context(), tt.target)
			switch {
			case tt.says == "" && err != nil:
				t.Fatalf("got %v, want success", err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
				t.Fatalf("got %v, want a sentence with %q", err, tt.says)
			case tt.is != nil && !errors.Is(err, tt.is):
				t.Fatalf("%v does not wrap %v", err, tt.is)
			}
		})
	}
}

func TestCheckAsksForThePathOnAFreshConnectionEachTime(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	remotes := map[string]bool{}
	paths := make(chan string, 3)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		paths <- r.Method + " " + r.URL.String()
	}))
	defer s.Close()
	p := New()
	for _, target := range []Target{{Address: s.URL}, {Address: s.URL + "/", Path: "/healthz?full=1"}, {Address: s.URL + "/base", Path: "up"}} {
		if err := p.Check(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"GET /", "GET /healthz?full=1", "GET /base/up"} {
		if got := <-paths; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if len(remotes) != 3 {
		t.Errorf("3 checks used %d connections", len(remotes))
	}
}

func TestCheckNamesARefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	_ = l.Close()
	err = New().Check(t.Context(), Target{Address: address})
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("got %v", err)
	}
}

func TestCheckRefusesAnAddressThatIsNone(t *testing.T) {
	if err := New().Check(t.Context(), Target{Address: "http://a b"}); err == nil || !strings.Contains(err.Error(), "cannot be asked") {
		t.Errorf("got %v", err)
	}
}

// pipes is a network of one server in memory, so that tests run in virtual time.
func pipes(fn func(n int, c net.Conn)) *Prober {
	var dials atomic.Int32
	return newProber(func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		n := int(dials.Add(1))
		go func() {
			defer there.Close()
			fn(n, there)
		}()
		return here, nil
	})
}

const plainOK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

func hang(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestAwaitAsksUntilTheWorkerAnswersAndSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var asked []time.Duration
		p := pipes(func(n int, c net.Conn) {
			asked = append(asked, time.Since(began))
			if n > 12 {
				answer(plainOK)(c)
			}
		})
		if err := p.Await(t.Context(), Target{Address: "http://w"}, 0); err != nil {
			t.Fatal(err)
		}
		if len(asked) != 13 {
			t.Fatalf("asked %d times, want 13", len(asked))
		}
		if first := asked[1] - asked[0]; first != 2*time.Millisecond {
			t.Errorf("the first pause is %v, want 2ms", first)
		}
		if last := asked[12] - asked[11]; last != 50*time.Millisecond {
			t.Errorf("the last pause is %v, want 50ms", last)
		}
	})
}

func TestAwaitWarmsUpWithSuccessfulRequestsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked int
		p := pipes(func(n int, c net.Conn) {
			asked = n
			if n != 3 { // fails once during the warm-up
				answer(plainOK)(c)
			}
		})
		if err := p.Await(t.Context(), Target{Address: "http://w"}, 4); err != nil {
			t.Fatal(err)
		}
		if asked != 6 {
			t.Errorf("asked %d times, want 1 + 4 successful and 1 failed", asked)
		}
	})
}

func TestAwaitGivesAHangingAttemptOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := pipes(func(n int, c net.Conn) {
			if n == 1 {
				hang(c)
				return
			}
			answer(plainOK)(c)
		})
		if err := p.Await(t.Context(), Target{Address: "http://w"}, 0); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != time.Second+2*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestAwaitEndsWithCtxAndNamesTheLastCause(t *testing.T) {
	gaveUp := errors.New("the start took too long")
	tests := []struct {
		name string
		fn   func(n int, c net.Conn)
		is   error
		says string
	}{
		{"closed without an answer", func(int, net.Conn) {}, nil, "closed without an answer"},
		{"a stranger answers", func(_ int, c net.Conn) { answer(plainOK)(c) }, ErrIdentity, "identity"},
		{"the attempt that is cut short does not hide the cause before", func(n int, c net.Conn) {
			if n > 3 {
				hang(c)
			}
		}, nil, "closed without an answer"},
		{"never answers", func(_ int, c net.Conn) { hang(c) }, nil, "no answer in time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 900*time.Millisecond, gaveUp)
				defer cancel()
				began := time.Now()
				err := pipes(tt.fn).Await(ctx, Target{Address: "http://w", Identity: "g1"}, 0)
				if tt.is != nil && !errors.Is(err, tt.is) || !errors.Is(err, gaveUp) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v", err)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("%q is not one sentence", err)
				}
				if took := time.Since(began); took != 900*time.Millisecond {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

func TestCheckTakesABodyThatNeverEndsForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipes(func(_ int, c net.Conn) {
			answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")(c)
			hang(c)
		})
		ctx, cancel := context.WithTimeout(t.Context(), AttemptTimeout)
		defer cancel()
		if err := p.Check(ctx, Target{Address: "http://w"}); err != nil {
			t.Errorf("got %v", err)
		}
	})
}
