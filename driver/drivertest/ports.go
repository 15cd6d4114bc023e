package drivertest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreePort returns a port of 127.0.0.1 as FreePorts does.
func FreePort(t testing.TB) int {
	t.Helper()
	return FreePorts(t, 1)
}

// FreePorts returns the first of n ports in a row that nobody holds now, 1 to 1 000, outside the range the kernel takes the ports of clients
// from and that of the default configuration. Until the end of the test nobody else is given one of them, in this process or another. It may
// be called concurrently.
func FreePorts(t testing.TB, n int) int {
	t.Helper()
	const lowest, highest = 10000, 19999
	for range 200 {
		first := lowest + rand.IntN(highest-lowest-n+2)
		if release, ok := claim(first, n); ok {
			t.Cleanup(release)
			return first
		}
	}
	t.Fatalf("no %d free ports in a row between %d and %d in 200 tries", n, lowest, highest)
	return 0
}

// claim takes the UDP ports of those numbers: workers use TCP alone, so that it is in nobody's way, and the kernel keeps whoever else claims
// one from getting it.
func claim(first, n int) (release func(), ok bool) {
	var claims []net.PacketConn
	release = func() {
		for _, c := range claims {
			c.Close()
		}
	}
	for port := first; port < first+n; port++ {
		c, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			claims = append(claims, c)
		}
		if err != nil || !Free(port) {
			release()
			return nil, false
		}
	}
	return release, true
}

// Free says whether nobody holds that port of 127.0.0.1.
func Free(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
