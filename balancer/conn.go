package balancer

import (
	"errors"
	"net"
	"sync"
)

// errUnasked: a worker that answers before it is asked would have its answer given to the wrong client.
var errUnasked = errors.New("the worker sent something before it was asked")

// workerConn is a connection to a worker that knows what net/http does not tell: how much was written on it, and whether anything came that
// belongs to no request.
//
// net/http puts a connection back for the next request before it has looked at what is left in its buffer behind the last answer. So the next
// request waits (settle) until the reading side wants more from the network: then nothing is left, or the connection is closed.
type workerConn struct {
	net.Conn

	mu      sync.Mutex
	changed *sync.Cond
	n       int64 // bytes written
	mark    int64 // of those, before the present request
	reading bool  // a Read waits for the network
	closed  bool
	then    func() // called when it closes
}

func newWorkerConn(c net.Conn) *workerConn {
	w := &workerConn{Conn: c, mark: -1}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// settle waits until nothing is left of the request before, or the connection is closed, and begins a new request.
func (c *workerConn) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.reading && !c.closed {
		c.changed.Wait()
	}
	c.mark = c.n
}

func (c *workerConn) Read(p []byte) (int, error) {
	c.read(true)
	n, err := c.Conn.Read(p)
	if c.read(false) && n > 0 {
		return 0, errUnasked
	}
	return n, err
}

// read notes that a Read begins or has ended. It reports whether a request has begun of which nothing has been written.
func (c *workerConn) read(begins bool) (unasked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = begins
	c.changed.Broadcast()
	return c.mark == c.n
}

func (c *workerConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.n++ // from here on an answer is possible; put right below
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(n) - 1
	return n, err
}

func (c *workerConn) written() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// onClose sets what happens when the connection closes, at once when it has.
func (c *workerConn) onClose(then func()) {
	c.mu.Lock()
	c.then = then
	closed := c.closed
	c.mu.Unlock()
	if closed && then != nil {
		then()
	}
}

// Close also tells the sender of a body, who may be waiting for a client that sends nothing.
func (c *workerConn) Close() error {
	c.mu.Lock()
	c.closed = true
	then := c.then
	c.changed.Broadcast()
	c.mu.Unlock()
	if then != nil {
		then()
	}
	return c.Conn.Close()
}

// CloseWrite passes a half-close on.
func (c *workerConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Conn.Close()
}
