package balancer

import (
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// side is one end of a tunnel as a script. What is to be read of it comes in the order of the list; then reading waits until it is closed.
type side struct {
	net.Conn
	says   []func(*side) (string, error)
	deaf   error         // of every write; nil: it hears
	dead   error         // of CloseWrite
	tried  chan struct{} // closed with the first write
	closed chan struct{}
	once   sync.Once
	end    sync.Once
	heard  string
}

func newSide(says ...func(*side) (string, error)) *side {
	return &side{says: says, tried: make(chan struct{}), closed: make(chan struct{})}
}

func (s *side) Read(b []byte) (int, error) {
	if len(s.says) == 0 {
		<-s.closed
		return 0, net.ErrClosed
	}
	next := s.says[0]
	s.says = s.says[1:]
	text, err := next(s)
	return copy(b, text), err
}

func (s *side) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.tried) })
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	if s.deaf != nil {
		return 0, s.deaf
	}
	s.heard += string(b)
	return len(b), nil
}

func (s *side) CloseWrite() error { return s.dead }
func (s *side) Close() error      { s.end.Do(func() { close(s.closed) }); return nil }

func word(text string) func(*side) (string, error) {
	return func(*side) (string, error) { return text, nil }
}

func fails(err error) func(*side) (string, error) {
	return func(*side) (string, error) { return "", err }
}

// tunnelled lets the two talk, and tells how long that took.
func tunnelled(client, worker *side, idle time.Duration) time.Duration {
	began := time.Now()
	a := &attempt{x: &exchange{}, pool: &poolSettings{}}
	a.pool.IdleTimeout = idle
	a.tunnel(end{Conn: client}, end{Conn: worker})
	return time.Since(began)
}

// A worker says why it ends and leaves while the client still talks: the reset that answers the client must not overtake the reason.
func TestTheLastWordsOfAWorkerReachAClientThatStillTalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newSide(word("are you there?"))
		worker := newSide(func(s *side) (string, error) {
			<-s.tried
			<-time.After(time.Millisecond) // whatever follows from the broken write has happened
			return "going away", nil
		}, fails(io.EOF))
		worker.deaf, worker.dead = syscall.EPIPE, syscall.ENOTCONN
		if took := tunnelled(client, worker, time.Second); client.heard != "going away" || took > time.Second+time.Millisecond {
			t.Errorf("the client heard %q within %s", client.heard, took)
		}
	})
}

func TestATunnelEndsAtOnceWhenAClientBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, worker := newSide(fails(syscall.ECONNRESET)), newSide()
		if took := tunnelled(client, worker, time.Minute); took > 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestATunnelEndsWhenAnEndCannotBePassedOn(t *testing.T) {
	for name, dead := range map[string]error{"to one that is closed": net.ErrClosed, "to one that is reset": syscall.ENOTCONN} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, worker := newSide(fails(io.EOF)), newSide()
				worker.dead = dead
				if dead != net.ErrClosed { // the kernel says so to whoever reads as well
					worker.says = append(worker.says, fails(syscall.ECONNRESET))
				}
				if took := tunnelled(client, worker, time.Minute); took > 0 {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}
