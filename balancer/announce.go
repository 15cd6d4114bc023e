package balancer

import (
	"bufio"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/pires/go-proxyproto"
)

// announceTimeout is how long a load balancer in front may take for its PROXY header, which it has at hand when it connects.
const announceTimeout = 5 * time.Second

// announced takes the PROXY header off a connection from where one must be, and makes the connection one of the client that it names. What
// names nobody (version 2 LOCAL, version 1 UNKNOWN, sockets that are no IP) is the sender's own: its health checks, mostly. On error the
// connection is no good.
func (s *Server) announced(c net.Conn) (net.Conn, error) {
	sender := addressOf(c.RemoteAddr())
	if !within(s.b.settings.Load().announcers, sender.Addr()) {
		return c, nil
	}
	if s.AnnounceTimeout > 0 {
		_ = c.SetReadDeadline(time.Now().Add(s.AnnounceTimeout)) // fails only on a connection that is closed
	}
	r := bufio.NewReaderSize(c, 256) // most headers; longer ones take more reads
	header, err := proxyproto.Read(r)
	if err != nil {
		return nil, err
	}
	client := sender
	if !header.Command.IsLocal() {
		if a := addressOf(header.SourceAddr); a.IsValid() {
			client = a
		}
	}
	return &announcedConn{Conn: c, early: r, client: net.TCPAddrFromAddrPort(client)}, c.SetReadDeadline(time.Time{})
}

// announcedConn is a connection of a client that somebody else took first.
type announcedConn struct {
	net.Conn
	early  *bufio.Reader // what came with the header; nil: read. Only Read touches it
	client net.Addr
}

func (c *announcedConn) RemoteAddr() net.Addr { return c.client }

func (c *announcedConn) Read(p []byte) (int, error) {
	if c.early == nil {
		return c.Conn.Read(p)
	}
	if c.early.Buffered() > 0 {
		return c.early.Read(p[:min(len(p), c.early.Buffered())])
	}
	c.early = nil
	return c.Conn.Read(p)
}

// CloseWrite lets the server, and tunnels, half-close.
func (c *announcedConn) CloseWrite() error { return closeWrite(c.Conn) }

// SyscallConn and SetLinger let a front look at the socket and reset it.
func (c *announcedConn) SyscallConn() (syscall.RawConn, error) { return socketOf(c.Conn) }
func (c *announcedConn) SetLinger(sec int) error               { return setLinger(c.Conn, sec) }

// addressOf is the IP address and port in a network address; invalid where there is none.
func addressOf(a net.Addr) netip.AddrPort {
	var p netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		p = a.AddrPort()
	case *net.UDPAddr:
		p = a.AddrPort()
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// within tells whether an address is in one of the networks.
func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}
