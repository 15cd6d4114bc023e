package balancer

import (
	"bytes"
	"net"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"

	"understudy/fleet"
	"understudy/h1"
)

// BenchmarkKeepAlive is a request over connections that stay open on both sides. Client and worker here are a write and a few reads of bytes made
// before, so that what is measured is the balancer, and every allocation is its own. "straight" is what they cost without it. cpu-ns/op is the
// processor's time, which says more than ns/op on a machine that does other things.
func BenchmarkKeepAlive(b *testing.B) {
	const head = " /mult HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nX-Request-Id: 0b9b2f0e-7f6e\r\n"
	requests := []struct {
		name string
		text []byte
	}{
		{"GET", []byte("GET" + head + "\r\n")},
		{"POST", []byte("POST" + head + "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"a\":6,\"b\":7}")},
	}
	fronts := []struct {
		name  string
		serve func(b *testing.B, x *bench) (addr string)
	}{
		{"straight", func(b *testing.B, x *bench) string { return cannedWorker(b) }},
		{"net-http", serveByNetHTTP},
		{"lean", serveByLean},
	}
	for _, front := range fronts {
		for _, request := range requests {
			b.Run(front.name+"/"+request.name, func(b *testing.B) {
				x := newBench(b, 64)
				address := "http://" + cannedWorker(b)
				if _, err := x.fleet.Add(fleet.Info{ID: "raw", Pool: "general", Address: address, Generation: "raw", Origin: fleet.Cold}); err != nil {
					b.Fatal(err)
				}
				x.fleet.Ready("raw", address, 1)
				addr := front.serve(b, x)
				b.ReportAllocs()
				before := processorTime(b)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					c, err := net.Dial("tcp", addr)
					if err != nil {
						b.Error(err)
						return
					}
					defer c.Close()
					buf := make([]byte, 4096)
					for pb.Next() {
						if err := roundTrip(c, request.text, buf); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// serveByNetHTTP has net/http's server in front.
func serveByNetHTTP(b *testing.B, x *bench) string {
	s := httptest.NewServer(x.balancer)
	b.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.Listener.Addr().String()
}

// serveByLean has our own.
func serveByLean(b *testing.B, x *bench) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &h1.Server{Handler: x.balancer, HeadTimeout: time.Minute, IdleTimeout: time.Minute, MaxHead: 32 << 10}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.ServeConn(c, nil)
		}
	}()
	b.Cleanup(func() {
		_ = l.Close()
		s.Close()
	})
	return l.Addr().String()
}

func processorTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// roundTrip sends a request and reads an answer with a Content-Length, without a copy.
func roundTrip(c net.Conn, request, buf []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	for n := 0; ; {
		m, err := c.Read(buf[n:])
		if err != nil {
			return err
		}
		n += m
		end := bytes.Index(buf[:n], []byte("\r\n\r\n"))
		if end < 0 {
			continue
		}
		if !bytes.HasPrefix(buf, []byte("HTTP/1.1 200 ")) {
			return strconv.ErrSyntax
		}
		at := bytes.Index(buf[:end], []byte("Content-Length: ")) + len("Content-Length: ")
		length := 0
		for ; buf[at] >= '0' && buf[at] <= '9'; at++ {
			length = length*10 + int(buf[at]-'0')
		}
		if n == end+4+length {
			return nil
		}
	}
}

// cannedWorker answers each read with the same bytes: whoever sends a request in one write gets one answer.
func cannedWorker(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerAll(c)
		}
	}()
	b.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

const cannedBody = `{"res":42,"duration":1,"id":"w"}`

// answerAll answers request after request.
func answerAll(c net.Conn) {
	defer c.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\nContent-Length: 32\r\n\r\n" + cannedBody)
	buf := make([]byte, 4096)
	for n := 0; ; {
		m, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		if n += m; !complete(buf[:n]) {
			continue
		}
		n = 0
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// complete tells whether a request is all there, by the two kinds that are sent here.
func complete(request []byte) bool {
	_, body, ok := bytes.Cut(request, []byte("\r\n\r\n"))
	return ok && (request[0] == 'G' || len(body) == 13)
}
