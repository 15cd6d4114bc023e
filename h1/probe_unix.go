//go:build unix

package h1

import (
	"net"
	"syscall"
)

// probe looks at a connection without taking anything off it. The zero value sees nothing and says quiet: connections that are not sockets,
// and TLS, whose records are not what they carry.
type probe struct {
	raw  syscall.RawConn
	look func(fd uintptr)
	seen quietness
}

func newProbe(c net.Conn) probe {
	var p probe
	if s, ok := c.(syscall.Conn); ok {
		p.raw, _ = s.SyscallConn() // a connection that is closed is found out by its first use
	}
	return p
}

// state looks once. It never blocks.
func (p *probe) state() quietness {
	if p.raw == nil {
		return quiet
	}
	if p.look == nil {
		p.look = func(fd uintptr) { p.seen = peek(int(fd)) } // made once: a probe is no longer copied when it is used
	}
	if p.raw.Control(p.look) != nil {
		return hungUp
	}
	return p.seen
}

func peek(fd int) quietness {
	var b [1]byte
	for {
		n, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return quiet
		case err != nil || n == 0:
			return hungUp
		default:
			return talks
		}
	}
}
