package enginetest

import (
	"context"
	"net"
	"sync"
)

// proxy takes connections on a host port for what listens inside a container; while nothing does it closes them.
type proxy struct {
	listener net.Listener
	inside   *inside

	mu     sync.Mutex
	conns  map[net.Conn]bool // guarded by mu
	closed bool              // guarded by mu
}

func (x *proxy) run() {
	for {
		conn, err := x.listener.Accept()
		if err != nil {
			return
		}
		if !x.keep(conn) || !x.inside.take(&held{Conn: conn, gate: x.inside.gate, proxy: x}) {
			x.drop(conn)
		}
	}
}

func (x *proxy) keep(conn net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.conns == nil {
		x.conns = map[net.Conn]bool{}
	}
	x.conns[conn] = true
	return !x.closed
}

func (x *proxy) drop(conn net.Conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.conns, conn)
	conn.Close()
}

func (x *proxy) close() {
	x.listener.Close()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	for conn := range x.conns {
		conn.Close()
	}
}

// inside is the listener of what runs in a container.
type inside struct {
	ctx   context.Context // of the process
	gate  *gate
	conns chan net.Conn
	up    chan struct{} // closed when something listens
	once  sync.Once
}

func newInside(ctx context.Context, g *gate) *inside {
	return &inside{ctx: ctx, gate: g, conns: make(chan net.Conn), up: make(chan struct{})}
}

func (i *inside) open() { i.once.Do(func() { close(i.up) }) }

// take hands a connection in; false: nothing listens there.
func (i *inside) take(conn net.Conn) bool {
	select {
	case <-i.up:
	default:
		return false
	}
	select {
	case i.conns <- conn:
		return true
	case <-i.ctx.Done():
		return false
	}
}

// Accept, Close and Addr make it a net.Listener.
func (i *inside) Accept() (net.Conn, error) {
	select {
	case conn := <-i.conns:
		return conn, nil
	case <-i.ctx.Done():
		return nil, net.ErrClosed
	}
}
func (i *inside) Close() error   { return nil }
func (i *inside) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(172, 30, 0, 2), Port: 8080} }

// held is a connection that stands still while the container is paused.
type held struct {
	net.Conn
	gate  *gate
	proxy *proxy
}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.gate.pass()
	return n, err
}

func (h *held) Write(p []byte) (int, error) {
	h.gate.pass()
	return h.Conn.Write(p)
}

func (h *held) Close() error {
	h.proxy.drop(h.Conn)
	return nil
}

// gate holds up whoever passes while it is closed. Once ctx has ended it holds up nobody.
type gate struct {
	ctx context.Context
	mu  sync.Mutex
	way chan struct{} // guarded by mu; nil: open
}

func newGate(ctx context.Context) *gate { return &gate{ctx: ctx} }

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.way == nil {
		g.way = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.way != nil {
		close(g.way)
		g.way = nil
	}
}

func (g *gate) pass() {
	g.mu.Lock()
	way := g.way
	g.mu.Unlock()
	if way == nil {
		return
	}
	select {
	case <-way:
	case <-g.ctx.Done():
	}
}
