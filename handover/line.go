package handover

import (
	"bufio"
	"encoding/json"
	"net"
	"sync"
	"time"
)

// line is one end of the pair. What is sent goes out in order and never blocks the sender: senders hold locks. What may be outstanding is
// bounded by the requests there are.
type line struct {
	conn net.Conn
	gone chan struct{} // closed when nothing comes any more

	mu     sync.Mutex
	out    []message
	closed bool
	more   chan struct{} // capacity 1: there is something to write, or it is closed

	written chan struct{} // closed when the writer has ended
}

// lastWords is how long a line that is closed may take to get rid of what was sent before.
const lastWords = time.Second

func newLine(conn net.Conn) *line {
	return &line{conn: conn, gone: make(chan struct{}), more: make(chan struct{}, 1), written: make(chan struct{})}
}

// run reads until the other end is gone, and writes meanwhile.
func (l *line) run(hear func(message)) {
	go l.write()
	go func() {
		defer close(l.gone)
		in := json.NewDecoder(bufio.NewReader(l.conn))
		for {
			var m message
			if in.Decode(&m) != nil {
				return
			}
			hear(m)
		}
	}()
}

func (l *line) send(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.out = append(l.out, m)
	l.wake()
}

func (l *line) wake() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// take waits for something to write; it yields nothing once the line is closed.
func (l *line) take() []message {
	for {
		l.mu.Lock()
		out, closed := l.out, l.closed
		l.out = nil
		l.mu.Unlock()
		if len(out) > 0 || closed {
			return out
		}
		select {
		case <-l.more:
		case <-l.gone:
			return nil
		}
	}
}

func (l *line) write() {
	defer close(l.written)
	buffered := bufio.NewWriter(l.conn)
	to := json.NewEncoder(buffered)
	for out := l.take(); len(out) > 0; out = l.take() {
		for _, m := range out {
			_ = to.Encode(m) // the writer remembers its error
		}
		if buffered.Flush() != nil {
			return // the reader finds out
		}
	}
}

// close writes what was sent before, and ends both loops.
func (l *line) close() {
	l.mu.Lock()
	l.closed = true
	l.wake()
	l.mu.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(lastWords))
	<-l.written
	_ = l.conn.Close()
	<-l.gone
}
