package h1

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestConn: one request, its answers, and the connection is good for another.
func TestConn(t *testing.T) {
	s := &script{pieces: []string{"HTTP/1.1 100 Continue\r\n\r\n" + chunkedHead + "2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n"}}
	c := NewConn(s)
	request := append(AppendRequestLine(c.Scratch(), "GET", "/x", "h"), "\r\n"...)
	if n, err := c.Write(request); n != len(request) || err != nil || c.Sent() != int64(n) || c.Received() != 0 {
		t.Fatal(n, err, c.Sent(), c.Received())
	}
	if got := s.sent.String(); got != "GET /x HTTP/1.1\r\nHost: h\r\n\r\n" {
		t.Errorf("sent %q", got)
	}
	r, err := c.ReadResponse("GET")
	if err != nil || r.Status != 100 {
		t.Fatal(r, err)
	}
	if r, err = c.ReadResponse("GET"); err != nil || r.Status != 200 || !r.Body || r.Length >= 0 {
		t.Fatal(r, err)
	}
	body, err := io.ReadAll(c)
	if v, _ := c.Trailer().Get("x"); string(body) != "abc" || err != nil || v != "y" || !c.Reusable() {
		t.Fatalf("%q %v %v %v", body, err, c.Trailer(), c.Reusable())
	}
}

// TestReusable: a connection that is used again in the wrong state gives somebody the answer to another's request.
func TestReusable(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	ask := func(c *Conn) { _, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) }
	answer := func(c *Conn) { _, _ = c.ReadResponse("GET") }
	read := func(c *Conn) { _, _ = io.ReadAll(c) }
	for _, c := range []struct {
		name  string
		steps []func(*Conn)
		want  bool
	}{
		{"never used", nil, true},
		{"asked", []func(*Conn){ask}, false},
		{"answered", []func(*Conn){ask, answer}, false},
		{"answered and read", []func(*Conn){ask, answer, read}, true},
		{"asked again", []func(*Conn){ask, answer, read, ask}, false},
		{"answered again", []func(*Conn){ask, answer, read, ask, answer, read}, true},
		{"written on after the answer", []func(*Conn){ask, answer, ask, read}, false},
		{"the answer to nothing", []func(*Conn){ask, answer, read, answer}, false},
		{"aborted", []func(*Conn){ask, answer, read, (*Conn).Abort}, false},
		{"aborted before its use", []func(*Conn){(*Conn).Abort}, false},
	} {
		conn := NewConn(&script{pieces: []string{ok, ok}})
		if c.name == "the answer to nothing" {
			conn = NewConn(&script{pieces: []string{ok}})
		}
		for _, step := range c.steps {
			step(conn)
		}
		if conn.Reusable() != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}

// TestARequestThatWasNotWrittenLeavesNothingToUse: though its other side has answered.
func TestARequestThatWasNotWrittenLeavesNothingToUse(t *testing.T) {
	s := &script{pieces: []string{"HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n"}, refuse: errors.New("full")}
	c := NewConn(s)
	if n, err := c.Write([]byte("GET / HTTP/1.1\r\n\r\n")); n != 0 || err != s.refuse {
		t.Fatal(n, err)
	}
	if r, err := c.ReadResponse("GET"); err != nil || r.Status != 413 || c.Reusable() {
		t.Error(r, err, c.Reusable())
	}
}

func TestAbortEndsWhatIsReadAndWritten(t *testing.T) {
	for name, use := range map[string]func(*Conn) error{
		"a head":  func(c *Conn) error { _, err := c.ReadResponse("GET"); return err },
		"writing": func(c *Conn) error { _, err := c.Write(make([]byte, 100)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer far.Close()
				c := NewConn(near)
				defer c.Close()
				ended := make(chan error)
				go func() { ended <- use(c) }()
				synctest.Wait()
				c.Abort()
				if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || !c.Aborted() || c.Reusable() {
					t.Error(err)
				}
				for _, set := range []func(time.Time) error{c.SetDeadline, c.SetReadDeadline, c.SetWriteDeadline} {
					if err := set(time.Now().Add(time.Hour)); err != nil {
						t.Error(err)
					}
					start := time.Now()
					if err := use(c); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 0 {
						t.Errorf("after a later deadline: %v after %v", err, time.Since(start))
					}
				}
			})
		})
	}
}

func TestAbortWhileABodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := NewConn(near)
		defer c.Close()
		ended := make(chan string)
		go func() {
			_, _ = c.ReadResponse("GET")
			body, err := io.ReadAll(c)
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			ended <- string(body)
		}()
		_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
		synctest.Wait()
		c.Abort()
		if body := <-ended; body != "hello" || c.Reusable() {
			t.Errorf("%q, reusable %v", body, c.Reusable())
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := NewConn(near)
		defer c.Close()
		start := time.Now()
		_ = c.SetReadDeadline(start.Add(time.Second))
		if _, err := c.ReadResponse("GET"); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second || c.Aborted() {
			t.Error(err, time.Since(start))
		}
		_ = c.SetWriteDeadline(start.Add(3 * time.Second))
		if n, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second || n != 0 || c.Sent() != 0 {
			t.Error(n, err, time.Since(start), c.Sent())
		}
	})
}

// TestHijack: what came with the head belongs to whoever takes the connection over.
func TestHijack(t *testing.T) {
	s := &script{pieces: []string{"HTTP/1.1 101 Switching Protocols\r\n\r\nearly", "late"}}
	c := NewConn(s)
	if r, err := c.ReadResponse("GET"); err != nil || r.Status != 101 || r.Body || c.Reusable() {
		t.Fatal(r, err)
	}
	below, early := c.Hijack()
	late, err := io.ReadAll(below)
	if below != net.Conn(s) || string(early) != "early" || string(late) != "late" || err != nil {
		t.Errorf("%q, then %q, %v", early, late, err)
	}
}

func TestScratchIsKeptUnlessItGrewTooFar(t *testing.T) {
	c := NewConn(&script{})
	c.KeepScratch(append(c.Scratch(), strings.Repeat("x", 1000)...))
	if b := c.Scratch(); len(b) != 0 || cap(b) < 1000 {
		t.Errorf("%d of %d", len(b), cap(b))
	}
	c.KeepScratch(make([]byte, 0, 1<<20))
	if cap(c.Scratch()) > 2*bufferSize {
		t.Errorf("%d bytes are kept", cap(c.Scratch()))
	}
}
