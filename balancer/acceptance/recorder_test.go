package acceptance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// recorder is a worker that keeps every request it got, read by the letter, and plays a script.
type recorder struct {
	id     string
	script script
	l      net.Listener
	wg     sync.WaitGroup
	heard  chan string   // what a script wants the row to know
	leave  chan struct{} // what a script waits for
	ended  chan struct{}

	mu    sync.Mutex
	open  map[net.Conn]bool
	conns int // there were
	seen  []*message
	asked int // requests but those of the invariants
}

// script is what a worker does with a request. It reports whether the connection goes on. nil answers OK.
type script func(p *play) bool

// play is one request at a worker.
type play struct {
	*message
	rec *recorder
	c   net.Conn
	r   *bufio.Reader
	n   int // which one it is for this worker, from 1
}

// after is the target of the request that shows that the next client is served. No script applies to it.
const after = "/mult/after"

func newRecorder(s script) (*recorder, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	rec := &recorder{l: l, script: s, open: map[net.Conn]bool{}, heard: make(chan string, 1000), leave: make(chan struct{}, 1000), ended: make(chan struct{})}
	rec.wg.Go(rec.accept)
	return rec, nil
}

func (rec *recorder) url() string { return "http://" + rec.l.Addr().String() }

func (rec *recorder) accept() {
	for {
		c, err := rec.l.Accept()
		if err != nil {
			return
		}
		rec.mu.Lock()
		rec.open[c] = true
		rec.conns++
		rec.mu.Unlock()
		rec.wg.Go(func() {
			rec.serve(c)
			_ = c.Close()
			rec.mu.Lock()
			delete(rec.open, c)
			rec.mu.Unlock()
		})
	}
}

func (rec *recorder) serve(c net.Conn) {
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		m, err := readStart(r)
		if err == io.EOF {
			return
		}
		if err == nil {
			m.fault = m.checkRequest()
		}
		p := &play{message: m, rec: rec, c: c, r: r, n: rec.note(m)}
		s := rec.script
		if s == nil || strings.HasSuffix(m.start, " "+after+" HTTP/1.1") {
			s = ok
		}
		if m.fault != nil || !s(p) || p.read() != nil {
			return
		}
	}
}

func (rec *recorder) note(m *message) int {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.seen = append(rec.seen, m)
	if !strings.Contains(m.start, after) {
		rec.asked++
	}
	return rec.asked
}

// read takes the body, if that has not been done.
func (p *play) read() error {
	if p.whole || p.fault != nil {
		return p.fault
	}
	size, err := p.framing()
	if err != nil {
		p.fault = err
		return err
	}
	if size == -2 {
		size = 0 // a request without framing has no body
	}
	return p.readBody(p.r, size)
}

func (p *play) say(format string, args ...any) bool {
	_, err := fmt.Fprintf(p.c, format, args...)
	return err == nil
}

// answer is an answer with a length.
func (p *play) answer(status int, fields, body string) bool {
	return p.say("HTTP/1.1 %d Said So\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), fields, body)
}

// hold waits until the balancer hangs up.
func (p *play) hold() bool {
	_, _ = io.Copy(io.Discard, p.r)
	return false
}

func ok(p *play) bool { return p.read() == nil && p.answer(200, "", "ok") }

// held is a worker that says what it has, and answers when the row lets it.
func held(p *play) bool {
	if p.read() != nil {
		return false
	}
	p.rec.heard <- p.request()
	select {
	case <-p.rec.leave:
	case <-p.rec.ended:
	}
	return ok(p)
}

// silent is a worker that says what it has, never answers, and says when the balancer has hung up.
func silent(p *play) bool {
	if p.read() == nil {
		p.rec.heard <- p.request()
		p.hold()
		p.rec.heard <- "gone"
	}
	return false
}

// says is a worker that reads the request, says these bytes, and waits for the next request.
func says(bytes string) script {
	return func(p *play) bool {
		if p.read() != nil {
			return false
		}
		_, _ = io.WriteString(p.c, bytes) // the balancer may have hung up before the end: the reading side finds out
		return true
	}
}

// saysAndCloses is the same with the connection closed behind it.
func saysAndCloses(bytes string) script {
	return func(p *play) bool {
		if p.read() == nil {
			_, _ = io.WriteString(p.c, bytes)
		}
		return false
	}
}

// hangUp waits until the balancer has closed every connection to the worker, and reports whether it did.
func (rec *recorder) hungUp() bool {
	return until(func() bool {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return len(rec.open) == 0
	})
}

// fresh tells whether the worker's second request came on a connection of its own.
func (rec *recorder) fresh() bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.conns > 1
}

// cut closes every connection to the worker.
func (rec *recorder) cut() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for c := range rec.open {
		_ = c.Close()
	}
}

// close ends the worker.
func (rec *recorder) close() {
	_ = rec.l.Close()
	select {
	case <-rec.ended:
	default:
		close(rec.ended)
	}
	rec.cut()
	rec.wg.Wait()
}

// requests are those that came, but for those of the invariants. Ask when the worker has no connection any more, or the answer has come.
func (rec *recorder) requests() []*message {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	var list []*message
	for _, m := range rec.seen {
		if !strings.Contains(m.start, after) {
			list = append(list, m)
		}
	}
	return list
}

// reset closes a connection in a way that the other side notices as a reset.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// broken tells whether a message broke off, which is what an aborted request looks like.
func (m *message) broken() bool { return errors.Is(m.fault, io.ErrUnexpectedEOF) }

// soon is a deadline that is never reached when the code is right.
func soon() time.Time { return time.Now().Add(patience) }
