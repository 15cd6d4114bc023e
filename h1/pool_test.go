package h1

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a connection that knows whether it is open.
type counted struct {
	script
	closed atomic.Bool
}

func (c *counted) Close() error { c.closed.Store(true); return nil }

// dialled is a pool over such connections.
func dialled(p *Pool) *Pool {
	p.Dial = func(context.Context) (net.Conn, error) { return &counted{}, nil }
	return p
}

func mustNew(t *testing.T, p *Pool, n int) []*Conn {
	t.Helper()
	conns := make([]*Conn, n)
	for i := range conns {
		var err error
		if conns[i], err = p.New(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return conns
}

func closed(c *Conn) bool { return c.NetConn().(*counted).closed.Load() }

func TestThePoolGivesWhatCameLastFirst(t *testing.T) {
	p := dialled(&Pool{Max: 3})
	defer p.Close()
	conns := mustNew(t, p, 3)
	for _, c := range conns {
		p.Put(c)
	}
	for i := 2; i >= 0; i-- {
		if c := p.Get(); c != conns[i] || closed(c) {
			t.Errorf("%d: another one", i)
		}
	}
	if c := p.Get(); c != nil {
		t.Error("more came out than went in")
	}
}

func TestThePoolKeepsAsManyAsItMay(t *testing.T) {
	for _, most := range []int{0, 2} {
		p := dialled(&Pool{Max: most})
		conns := mustNew(t, p, 4)
		for _, c := range conns {
			p.Put(c)
		}
		for i, c := range conns {
			if closed(c) != (i >= most) {
				t.Errorf("of at most %d: %d closed %v", most, i, closed(c))
			}
		}
		p.Close()
		for i, c := range conns {
			if !closed(c) {
				t.Errorf("%d outlives the pool", i)
			}
		}
	}
}

func TestThePoolRefusesWhatIsOfNoUse(t *testing.T) {
	p := dialled(&Pool{Max: 9})
	conns := mustNew(t, p, 3)
	_, _ = conns[0].Write([]byte("GET / HTTP/1.1\r\n\r\n")) // nobody read an answer
	conns[1].Abort()
	for _, c := range conns {
		p.Put(c)
	}
	if p.Get() != conns[2] || p.Get() != nil || !closed(conns[0]) || !closed(conns[1]) {
		t.Error("a connection in the middle of something was kept")
	}
	p.Close()
	p.Put(conns[2])
	if !closed(conns[2]) || p.Get() != nil {
		t.Error("a closed pool keeps connections")
	}
}

// TestThePoolChecksWhatItGives: bytes that nobody asked for are the beginning of somebody else's answer.
func TestThePoolChecksWhatItGives(t *testing.T) {
	p := dialled(&Pool{Max: 9})
	defer p.Close()
	conns := mustNew(t, p, 2)
	for _, c := range conns {
		p.Put(c)
	}
	conns[1].in.buf[0], conns[1].in.w = 'x', 1
	if p.Get() != conns[0] || !closed(conns[1]) {
		t.Error("a connection with something in it was given out")
	}
}

func TestIdleConnectionsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := dialled(&Pool{Max: 9, Idle: 4 * time.Second})
		defer p.Close()
		conns := mustNew(t, p, 3)
		at := func(d time.Duration) {
			timer := time.NewTimer(d - time.Since(start))
			defer timer.Stop()
			<-timer.C
			synctest.Wait()
		}
		p.Put(conns[0])
		at(time.Second)
		p.Put(conns[1])
		at(3 * time.Second)
		p.Put(p.Get()) // the second begins anew, the first does not
		p.Put(conns[2])
		for _, want := range []struct {
			at     time.Duration
			closed [3]bool
		}{
			{3999 * time.Millisecond, [3]bool{}},
			{4001 * time.Millisecond, [3]bool{true, false, false}},
			{6999 * time.Millisecond, [3]bool{true, false, false}},
			{7001 * time.Millisecond, [3]bool{true, true, true}},
		} {
			at(want.at)
			if got := [3]bool{closed(conns[0]), closed(conns[1]), closed(conns[2])}; got != want.closed {
				t.Errorf("after %v: closed %v, want %v", want.at, got, want.closed)
			}
		}
		last := mustNew(t, p, 1)[0]
		p.Put(last)
		at(20 * time.Second)
		if !closed(last) {
			t.Error("once it was empty, the pool forgets to look")
		}
	})
}

func TestAPoolWithoutALimitOfTimeKeepsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := dialled(&Pool{Max: 1})
		defer p.Close()
		c := mustNew(t, p, 1)[0]
		p.Put(c)
		timer := time.NewTimer(1000 * time.Hour)
		defer timer.Stop()
		<-timer.C
		if p.Get() != c || closed(c) {
			t.Error("it was closed")
		}
	})
}

func TestIdleConnectionsCanBeClosedNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := dialled(&Pool{Max: 2, Idle: time.Second})
		defer p.Close()
		conns := mustNew(t, p, 2)
		p.Put(conns[0])
		p.CloseIdle()
		p.Put(conns[1])
		if !closed(conns[0]) || closed(conns[1]) || p.Get() != conns[1] {
			t.Error("the pool is to be used on, without what was idle")
		}
	})
}

func TestAPoolThatCannotConnect(t *testing.T) {
	no := errors.New("no")
	p := &Pool{Dial: func(context.Context) (net.Conn, error) { return nil, no }}
	if c, err := p.New(t.Context()); c != nil || err != no {
		t.Errorf("%v, %v", c, err)
	}
}

// TestThePoolIsSharedByMany: a connection is in one pair of hands at a time.
func TestThePoolIsSharedByMany(t *testing.T) {
	p := dialled(&Pool{Max: 4, Idle: time.Nanosecond})
	var users sync.WaitGroup
	var held sync.Map
	for range 8 {
		users.Go(func() {
			for range 500 {
				c := p.Get()
				if c == nil {
					c, _ = p.New(context.Background())
				}
				if _, taken := held.LoadOrStore(c, true); taken {
					t.Error("one connection was given out twice")
				}
				held.Delete(c)
				p.Put(c)
			}
		})
	}
	users.Go(func() {
		for range 100 {
			p.CloseIdle()
		}
	})
	users.Wait()
	p.Close()
}
