package balancer

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"understudy/fleet"
)

// switchProtocols turns the request into a tunnel, when that is what the client asked for. Only websocket is: anything else would carry
// requests past everything that is checked here. The tunnel counts as in flight until it ends, and no timeout applies to it.
func (a *attempt) switchProtocols(resp *http.Response) {
	x := a.x
	worker, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || !x.upgrade || !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") {
		resp.Body.Close()
		x.lease.Release(fleet.Outcome{Kind: fleet.Broke})
		x.cause = errForeignUpgrade
		x.refuse(errForeignUpgrade, "")
		return
	}
	defer worker.Close()
	x.service = time.Since(a.began)
	a.allow(0)
	client, buffered, err := x.rc.Hijack()
	if err != nil {
		x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
		x.cause = err
		x.refuse(errWorkerFailed, "This connection cannot be upgraded.")
		return
	}
	defer client.Close()
	x.status = http.StatusSwitchingProtocols
	if err := x.writeSwitch(buffered.Writer, resp.Header); err != nil {
		x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
		x.status, x.cause = statusClientGone, err
		return
	}
	// The server's reader must not be read any further than what it holds: it would end the request's context with the client's half.
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	a.tunnel(client, io.MultiReader(bytes.NewReader(early), client), worker)
	x.lease.Release(fleet.Outcome{Kind: fleet.Tunnel})
}

// writeSwitch is the response head, written by hand: the connection is no longer the server's.
func (x *exchange) writeSwitch(w *bufio.Writer, from http.Header) error {
	h := http.Header{}
	copyAnswer(h, from)
	x.sign(h)
	h["Connection"] = []string{"Upgrade"}
	h["Upgrade"] = []string{"websocket"}
	fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", http.StatusSwitchingProtocols, http.StatusText(http.StatusSwitchingProtocols))
	_ = h.Write(w) // a bufio.Writer remembers its error until Flush
	_, _ = w.WriteString("\r\n")
	return w.Flush()
}

// tunnel copies both ways until both have ended, or everything is aborted. When one side has said all it had to say, the other gets the
// idle time to finish.
func (a *attempt) tunnel(client net.Conn, fromClient io.Reader, worker io.ReadWriteCloser) {
	cut := sync.OnceFunc(func() {
		client.Close()
		worker.Close()
	})
	stop := context.AfterFunc(a.x.ctx, cut)
	defer stop()
	var last *time.Timer
	var once sync.Once
	linger := func() {
		once.Do(func() {
			if a.pool.IdleTimeout > 0 {
				last = time.AfterFunc(a.pool.IdleTimeout, cut)
			}
		})
	}
	oneWay := func(dst io.Writer, src io.Reader) {
		if _, err := io.Copy(dst, src); err != nil || closeWrite(dst) != nil {
			cut()
		}
		linger()
	}
	var other sync.WaitGroup
	other.Go(func() { oneWay(worker, fromClient) })
	oneWay(client, worker)
	other.Wait()
	if last != nil {
		last.Stop()
	}
}

// closeWrite passes on that one side has ended.
func closeWrite(dst any) error {
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}
