package docker

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// outside is a neighbour of this host: a network namespace behind a link of its own, that sends all its answers through this host, so
// that a worker it hears from without address translation can be answered too. Only root makes one; for others the test is skipped.
type outside struct {
	address string // where it listens, TCP and UDP
	heard   chan string
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root makes a network namespace")
	}
	id := fmt.Sprintf("%x", os.Getpid()&0xffffff)
	here, there := "us"+id+"h", "us"+id+"t"
	for _, args := range []string{
		"netns add " + there, "link add " + here + " type veth peer name " + there + " netns " + there,
		"addr add 198.51.100.1/30 dev " + here, "link set " + here + " up",
		"-n " + there + " addr add 198.51.100.2/30 dev " + there, "-n " + there + " link set " + there + " up", "-n " + there + " route add default via 198.51.100.1",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Skipf("ip %s: %v: %s", args, err, out)
		}
		if strings.HasPrefix(args, "netns add") {
			t.Cleanup(func() { exec.Command("ip", "netns", "del", there).Run() }) // the link goes with it
		}
	}
	o := &outside{address: "198.51.100.2:7", heard: make(chan string, 16)}
	tcp, udp := o.listen(t, there)
	t.Cleanup(func() { tcp.Close(); udp.Close() })
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			word, _ := io.ReadAll(conn)
			conn.Close()
			o.heard <- "tcp " + string(word)
		}
	}()
	go func() {
		for b := make([]byte, 64); ; {
			n, _, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			o.heard <- "udp " + string(b[:n])
		}
	}()
	return o
}

// listen makes sockets in the namespace: they stay in it, the thread that made them ends.
func (o *outside) listen(t *testing.T, name string) (tcp net.Listener, udp net.PacketConn) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else shall run on this thread
		done <- func() error {
			ns, err := os.Open("/run/netns/" + name)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return err
			}
			if tcp, err = net.Listen("tcp", o.address); err != nil {
				return err
			}
			udp, err = net.ListenPacket("udp", o.address)
			return err
		}()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return tcp, udp
}

// TestOnlyTheOpenNetworkReachesOut: from the sealed one not even a datagram that needs no answer leaves, and not even to a neighbour
// that could answer without address translation.
func TestOnlyTheOpenNetworkReachesOut(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	d := realDriver(t)
	yes := true
	open, sealed := workerSpec(t, "open"), workerSpec(t, "sealed")
	open.Security.Egress = &yes
	mute := mustStart(t, d, sealed) // first, so that what it might send would be heard before what the other one sends
	for _, network := range []string{"tcp", "udp"} {
		said := ask(t, mute, "/dial?network="+network+"&address="+o.address)
		if network == "tcp" && said == "" {
			t.Error("a sealed worker reaches the outside")
		}
	}
	free := mustStart(t, d, open)
	for _, network := range []string{"tcp", "udp"} {
		if said := ask(t, free, "/dial?network="+network+"&address="+o.address); said != "" {
			t.Fatalf("the open worker does not reach the outside by %s (%s), so the test tells nothing", network, said)
		}
		if got := <-o.heard; got != network+" "+open.Generation {
			t.Errorf("the outside heard %q, want what the open worker said by %s", got, network)
		}
	}
	if len(o.heard) > 0 {
		t.Errorf("the outside heard more: %q", <-o.heard)
	}
}
