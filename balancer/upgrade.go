package balancer

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"understudy/fleet"
	"understudy/h1"
)

// switchProtocols turns the request into a tunnel, when that is what the client asked for. Only websocket is: anything else would carry
// requests past everything that is checked here. The tunnel counts as in flight until it ends, and no timeout applies to it.
func (a *attempt) switchProtocols(resp *h1.Response) {
	x := a.x
	if protocol, _ := resp.Fields.Get("Upgrade"); !x.upgrade || !h1.EqualFold(protocol, "websocket") {
		a.hangUp()
		x.lease.Release(fleet.Outcome{Kind: fleet.Broke})
		x.cause = errForeignUpgrade
		x.refuse(errForeignUpgrade, "")
		return
	}
	client, buffered, err := x.rc.Hijack()
	if err != nil {
		a.hangUp()
		x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
		x.cause = err
		x.refuse(errWorkerFailed, "This connection cannot be upgraded.")
		return
	}
	defer client.Close()
	x.status = http.StatusSwitchingProtocols
	if err := x.writeSwitch(buffered.Writer, resp.Fields); err != nil {
		x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
		x.status, x.cause = statusClientGone, err
		return
	}
	// The server's reader must not be read any further than what it holds: it would end the request's context with the client's half.
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	worker, first := a.wire.conn.Hijack()
	_ = worker.SetDeadline(time.Time{}) // fails only when it is closed
	a.tunnel(end{client, early}, end{worker, first})
	x.lease.Release(fleet.Outcome{Kind: fleet.Tunnel})
}

// writeSwitch is the response head, written by hand: the connection is no longer the server's.
func (x *exchange) writeSwitch(w *bufio.Writer, from h1.Fields) error {
	x.sign()
	x.out = appendAnswer(x.out, from)
	head := []byte("HTTP/1.1 101 Switching Protocols\r\n")
	for _, f := range x.out {
		head = h1.AppendField(head, f.Name, f.Value)
	}
	_, _ = w.Write(append(head, "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"...)) // a bufio.Writer remembers its error until Flush
	return w.Flush()
}

// end is one end of a tunnel, with what was read from it already.
type end struct {
	net.Conn
	early []byte
}

// cutting aborts by a function.
type cutting func()

func (c cutting) Abort() { c() }

// tunnel copies both ways until both have ended, or everything is aborted. When one side has said all it had to say, the other gets the
// idle time to finish. So it does when one side takes no more: what that side said before it left (in a WebSocket: why it ends) may still be under
// way, and reading from it ends by itself.
func (a *attempt) tunnel(client, worker end) {
	cut := sync.OnceFunc(func() {
		client.Close()
		worker.Close()
	})
	a.x.cut.use(cutting(cut))
	defer a.x.cut.letGo()
	var last *time.Timer
	var once sync.Once
	linger := func() {
		once.Do(func() {
			if a.pool.IdleTimeout > 0 {
				last = time.AfterFunc(a.pool.IdleTimeout, cut)
			}
		})
	}
	oneWay := func(dst, src end) {
		_, err := dst.Write(src.early)
		if err == nil {
			_, err = io.Copy(dst.Conn, src.Conn)
		}
		if closed := closeWrite(dst.Conn); errors.Is(closed, net.ErrClosed) || err != nil && closed == nil {
			cut() // src broke, or the end cannot be passed on
		}
		linger()
	}
	var other sync.WaitGroup
	other.Go(func() { oneWay(worker, client) })
	oneWay(client, worker)
	other.Wait()
	if last != nil {
		last.Stop()
	}
}

// closeWrite passes on that one side has ended.
func closeWrite(dst net.Conn) error {
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}
