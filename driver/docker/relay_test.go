package docker

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"understudy/driver"
)

// relay is a real engine behind a socket of ours, which can be taken away, or stand still.
type relay struct {
	t      *testing.T
	socket string
	engine string // the address of the real one

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	still    chan struct{} // nil: bytes flow
	going    sync.WaitGroup
}

// newRelay skips the test where there is no engine on a socket.
func newRelay(t *testing.T, d *Driver) *relay {
	scheme, address, err := d.engine.endpoint.split()
	if err != nil || scheme != "unix" {
		t.Skipf("the engine is not behind a socket: %s", d.engine.host)
	}
	r := &relay{t: t, socket: filepath.Join(t.TempDir(), "docker.sock"), engine: address, conns: map[net.Conn]bool{}}
	r.open()
	t.Cleanup(func() {
		r.flow()
		r.cut()
		r.going.Wait()
	})
	return r
}

// driver is one of d's instance that talks through the relay.
func (r *relay) driver(d *Driver, change ...func(*limits)) *Driver {
	r.t.Helper()
	l := defaultLimits()
	for _, c := range change {
		c(l)
	}
	through, err := New(r.t.Context(), Options{Instance: d.instance, Host: "unix://" + r.socket, Binary: testWorker(), Log: testLog(r.t), limits: l})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { through.Close() })
	return through
}

func (r *relay) open() {
	r.t.Helper()
	listener, err := net.Listen("unix", r.socket)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.listener = listener
	r.mu.Unlock()
	r.going.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.going.Go(func() { r.carry(conn) })
		}
	})
}

func (r *relay) carry(conn net.Conn) {
	defer conn.Close()
	back, err := net.Dial("unix", r.engine)
	if err != nil {
		return
	}
	defer back.Close()
	r.mu.Lock()
	r.conns[conn], r.conns[back] = true, true
	r.mu.Unlock()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		r.copy(conn, back)
		conn.Close()
	}()
	r.copy(back, conn)
	back.Close()
	<-answered
	r.mu.Lock()
	delete(r.conns, conn)
	delete(r.conns, back)
	r.mu.Unlock()
}

func (r *relay) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		still := r.still
		r.mu.Unlock()
		if still != nil {
			<-still
		}
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut takes the socket away and drops every connection.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener.Close()
	for conn := range r.conns {
		conn.Close()
	}
}

// drop drops every connection; the socket stays.
func (r *relay) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		conn.Close()
	}
}

// stand lets nothing through until flow.
func (r *relay) stand() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.still = make(chan struct{})
}

func (r *relay) flow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.still != nil {
		close(r.still)
		r.still = nil
	}
}

// hinted waits for a hint about a worker.
func hinted(t *testing.T, hints <-chan driver.ID, id driver.ID) {
	t.Helper()
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	for {
		select {
		case got := <-hints:
			if got == id {
				return
			}
		case <-patience.C:
			t.Fatal("no hint came")
		}
	}
}
