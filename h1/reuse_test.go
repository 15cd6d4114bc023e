package h1

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// answeredConn is a connection that served one request, and its other side.
func answeredConn(t *testing.T, p *Pool, accept func() net.Conn) (*Conn, net.Conn) {
	t.Helper()
	c, err := p.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	far := accept()
	if _, err := io.WriteString(far, "HTTP/1.1 204 No Content\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadResponse("GET"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(nil); err != io.EOF {
		t.Fatal(err)
	}
	return c, far
}

// socketPool is a pool to a listener, and the other side of what it dials.
func socketPool(t *testing.T) (*Pool, func() net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &Pool{Max: 2, Dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	}}
	t.Cleanup(p.Close)
	return p, func() net.Conn {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

func TestAPoolTellsOfConnectionsThatWereClosedOrTalkOutOfTurn(t *testing.T) {
	for name, spoil := range map[string]func(net.Conn){
		"closed": func(c net.Conn) { _ = c.Close() },
		"talks":  func(c net.Conn) { _, _ = io.WriteString(c, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			p, accept := socketPool(t)
			told := 0
			p.OnStale = func() { told++ }
			c, far := answeredConn(t, p, accept)
			p.Put(c)
			if got := p.Get(); got != c || told != 0 {
				t.Fatalf("got %v, told %d times, of a connection that is quiet", got, told)
			}
			p.Put(c)
			spoil(far)
			for c.Quiet() { // the loopback delivers in its own time
			}
			if got := p.Get(); got != nil || told != 1 {
				t.Errorf("got %v, told %d times", got, told)
			}
		})
	}
}

func TestCloseIdleClosesWhatNobodyUsesAndNothingElse(t *testing.T) {
	p, accept := socketPool(t)
	idle, farIdle := answeredConn(t, p, accept)
	used, _ := answeredConn(t, p, accept)
	p.Put(idle)
	p.CloseIdle()
	if _, err := farIdle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle one: %v", err)
	}
	p.Put(used)
	if got := p.Get(); got != used {
		t.Errorf("the one in use was not kept: %v", got)
	}
	_ = used.Close()
}

func TestDeadlinesMoveWhenItMatters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := NewConn(near)
		defer c.Close()
		began := time.Now()
		fails := func(want time.Duration) {
			t.Helper()
			if _, err := c.ReadResponse("GET"); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != want {
				t.Errorf("%v after %v, want %v", err, time.Since(began), want)
			}
		}
		c.Limit(began.Add(time.Second))
		c.Limit(began.Add(time.Second + deadlineStep/2)) // not worth it
		fails(time.Second)
		c.Limit(began.Add(2 * time.Second))
		c.Limit(began.Add(1500 * time.Millisecond)) // earlier is always meant
		fails(1500 * time.Millisecond)
		c.Limit(time.Time{})
		go func() { _, _ = io.WriteString(far, "HTTP/1.1 204 No Content\r\n\r\n") }()
		if _, err := c.ReadResponse("GET"); err != nil {
			t.Errorf("without a deadline: %v", err)
		}
	})
}
