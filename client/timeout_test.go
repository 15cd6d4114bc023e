package client

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestATimeoutWhateverIsWaitedFor(t *testing.T) {
	for name, play := range map[string]func(net.Conn, *bufio.Reader){
		"an answer":        func(_ net.Conn, r *bufio.Reader) { take(r); _, _ = r.ReadByte() },
		"that it is taken": func(_ net.Conn, r *bufio.Reader) { pause(context.Background(), time.Hour) },
		"the rest of a head": func(c net.Conn, r *bufio.Reader) {
			take(r)
			dribble(c, "HTTP/1.1 200 OK\r\nA: "+strings.Repeat("x", 100))
		},
		"the rest of a body": func(c net.Conn, r *bufio.Reader) {
			take(r)
			dribble(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello"+strings.Repeat("x", 100))
		},
		"more interim answers": func(c net.Conn, r *bufio.Reader) {
			take(r)
			_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			_, _ = r.ReadByte()
		},
		"the end of the answer": func(c net.Conn, r *bufio.Reader) {
			take(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhello")
			_, _ = r.ReadByte()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := peers(t, func(n int, c net.Conn, r *bufio.Reader) {
					if n > 0 {
						play(c, r)
					}
				})
				report, err := Run(t.Context(), Options{N: 2, Timeout: 3 * time.Second, Mix: Mix{{"x", 1}}, Dial: far.dial}, nil)
				if err != nil || report.ErrorsByCause[Timeout] != 2 || report.Latency.Max != 3000 || report.ErrorSamples[Timeout] != "no whole answer within 3s" {
					t.Errorf("%v %v %v, %v", report.ErrorsByCause, report.ErrorSamples, report.Latency.Max, err)
				}
			})
		})
	}
}

// dribble writes a byte a second.
func dribble(c net.Conn, text string) {
	for i := range len(text) {
		pause(context.Background(), time.Second)
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
	}
}

func TestATimeoutWhileConnectingIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
			if n.Add(1) == 1 {
				ours, theirs := net.Pipe()
				theirs.Close()
				return ours, nil
			}
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
		}
		report, err := Run(t.Context(), Options{N: 1, Timeout: time.Second, Dial: dial}, nil)
		if err != nil || report.ErrorsByCause[Timeout] != 1 || report.DurationS != 1 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}
