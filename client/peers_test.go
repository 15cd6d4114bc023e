package client

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// peers makes connections whose other side each is played by play, which is told the number of the connection, from 0. The first is the one
// with which a run sees whether anybody is there.
func peers(t *testing.T, play func(n int, c net.Conn, r *bufio.Reader)) *peerage {
	t.Helper()
	p := &peerage{play: play}
	t.Cleanup(p.playing.Wait)
	return p
}

type peerage struct {
	play    func(int, net.Conn, *bufio.Reader)
	made    atomic.Int32
	playing sync.WaitGroup
}

func (p *peerage) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	n := int(p.made.Add(1)) - 1
	p.playing.Go(func() {
		defer theirs.Close()
		p.play(n, theirs, bufio.NewReader(theirs))
	})
	return ours, nil
}

// take reads one request off r, and tells whether there was one.
func take(r *bufio.Reader) (*http.Request, bool) {
	request, err := http.ReadRequest(r)
	if err == nil {
		_, err = io.Copy(io.Discard, request.Body)
	}
	return request, err == nil
}

// always answers every request on every connection with the same bytes.
func always(answer string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for _, ok := take(r); ok; _, ok = take(r) {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

const okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
