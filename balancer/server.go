package balancer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"understudy/h1"
	"understudy/logs"
)

// Server takes the clients' connections. Each runs through a pipeline of one file a step: gate.go (is there room for it), announce.go (who is
// it, when somebody took it before us), gate.go again (is there room for that client), encrypt.go (TLS), front.go (who speaks HTTP with it). Serve, Shutdown and Close may be called concurrently. The fields may be changed until the first Serve.
type Server struct {
	HeaderTimeout    time.Duration // how long a client may take for the head of a request; 0: no limit
	HandshakeTimeout time.Duration // how long it may take for the TLS handshake; 0: no limit
	AnnounceTimeout  time.Duration // how long a load balancer in front may take for its PROXY header; 0: no limit
	WebOnly          bool          // every connection is served by net/http's server: to compare

	b        *Balancer
	gate     gate
	web      *http.Server
	lean     *h1.Server
	shortage *logs.Repeats // what keeps connections from being accepted
	desk     *desk         // where web's connections wait for it
	begin    func()        // lets web take them
	ended    chan struct{} // closed when web takes no more

	newcomers newcomers // of web

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	entering  map[net.Conn]struct{} // those that no front has yet
	stopping  chan struct{}         // closed: nothing is accepted any more
	closed    bool                  // those on their way in are not served either

	under sync.WaitGroup // loops that accept, and connections on their way in
}

// headerTimeout is how long a client may take for the head of a request.
const headerTimeout = 5 * time.Second

// Server is a server for the clients' listeners, bounded by limits as they are now. Bodies have no limit in time as a whole, only in silence
// (limits.idle): the balancer sees to that. It is a new one each time.
func (b *Balancer) Server() *Server {
	limits := b.settings.Load().Limits
	s := &Server{
		HeaderTimeout: headerTimeout, HandshakeTimeout: handshakeTimeout, AnnounceTimeout: announceTimeout,
		b: b, shortage: logs.NewRepeats(b.log, b.upstreams.now), desk: newDesk(), ended: make(chan struct{}),
		gate:      gate{most: limits.Connections, mostEach: limits.PerClient.Connections},
		listeners: map[net.Listener]struct{}{}, entering: map[net.Conn]struct{}{}, stopping: make(chan struct{}),
	}
	s.web, s.lean = s.newWeb(), s.newLean()
	s.begin = sync.OnceFunc(s.startWeb)
	return s
}

// Serve serves the connections of one listener, and closes it in the end. It returns http.ErrServerClosed after Shutdown or Close, or why the
// listener broke; a shortage, such as one of open files, is waited out.
func (s *Server) Serve(l net.Listener) error {
	if !s.open(l) {
		l.Close()
		return http.ErrServerClosed
	}
	defer s.under.Done()
	defer s.shut(l)
	s.begin()
	for {
		c, err := s.accept(l)
		if err != nil {
			return err
		}
		if s.enter(c) {
			go s.receive(c)
		}
	}
}

func (s *Server) open(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped() {
		return false
	}
	s.listeners[l] = struct{}{}
	s.under.Add(1)
	return true
}

func (s *Server) shut(l net.Listener) {
	l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) stopped() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// accept waits for a connection, and waits out what the listener says will pass.
func (s *Server) accept(l net.Listener) (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		c, err := l.Accept()
		if err == nil {
			return c, nil
		}
		var passing interface{ Temporary() bool }
		switch {
		case s.stopped():
			return nil, http.ErrServerClosed
		case !errors.As(err, &passing) || !passing.Temporary():
			return nil, err
		}
		s.shortage.Add("accept", err.Error(), "a connection cannot be accepted; trying again", err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.stopping:
			timer.Stop()
			return nil, http.ErrServerClosed
		}
	}
}

// enter books a connection that was accepted. One that came too late is closed.
func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.entering[c] = struct{}{}
	s.under.Add(1) // the loop that accepts is under way too, so nobody has waited this out
	return true
}

// entered tells that a front has the connection now, or that it is closed.
func (s *Server) entered(c net.Conn) {
	s.mu.Lock()
	delete(s.entering, c)
	s.mu.Unlock()
	s.under.Done()
}

// receive leads one connection through the pipeline, in a goroutine of its own.
func (s *Server) receive(raw net.Conn) {
	done := func() { s.entered(raw) }
	c, step, err := s.lead(raw)
	if err != nil {
		s.b.recorder.Refused(step)
		s.b.log.Debug("connection closed", slog.String("client", c.RemoteAddr().String()), slog.String("step", step), slog.Any("error", err))
		c.Close()
		done()
		return
	}
	s.front(c, done)
}

// lead is what happens before anybody speaks HTTP. On error it says at which step; the connection is still open.
func (s *Server) lead(c net.Conn) (out net.Conn, step string, err error) {
	next := func(name string, do func(net.Conn) (net.Conn, error)) {
		if err != nil {
			return
		}
		step = name
		if made, fault := do(c); fault != nil {
			err = fault
		} else {
			c = made
		}
	}
	next(refusedFull, s.gate.admit)
	next(refusedHeader, s.announced)
	next(refusedClient, s.known)
	next(refusedTLS, s.encrypt)
	return c, step, err
}

// known bounds the connections of one client. Those of proxies are many clients'.
func (s *Server) known(c net.Conn) (net.Conn, error) {
	cfg, client := s.b.settings.Load(), addressOf(c.RemoteAddr()).Addr()
	if within(cfg.trusted, client) || within(cfg.announcers, client) {
		return c, nil
	}
	return s.gate.admitClient(c, client)
}

// Shutdown accepts no more connections, lets those that are open finish what they do, and returns nil once all are closed, or ctx's error.
// It does not know connections that were upgraded; Balancer.Wait does.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	in := make(chan struct{})
	go func() { s.under.Wait(); close(in) }()
	select {
	case <-in: // whoever was let in has been heard
	case <-ctx.Done(): // then the fronts are told all the same
	}
	lean := make(chan error, 1)
	go func() { lean <- s.lean.Shutdown(ctx) }()
	s.web.SetKeepAlivesEnabled(false)
	s.newcomers.wait(ctx)
	if err := errors.Join(s.web.Shutdown(ctx), <-lean); err != nil {
		return err
	}
	s.begin() // or there is no end to wait for
	<-s.ended
	return nil
}

// Close closes every listener and every connection that is not upgraded.
func (s *Server) Close() error {
	s.stop()
	s.mu.Lock()
	s.closed = true
	for c := range s.entering {
		c.Close()
	}
	s.mu.Unlock()
	err := s.web.Close()
	s.lean.Close()
	s.under.Wait()
	s.begin()
	<-s.ended
	return err
}

func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped() {
		close(s.stopping)
	}
	for l := range s.listeners {
		l.Close()
	}
}
