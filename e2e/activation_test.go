package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What systemd does with a socket unit and Type=notify, done by hand: a socket that listens already, its name, and where to say that all is well.
// LISTEN_PID must be the balancer's own, so a shell says it and becomes the balancer.
func TestASocketOfTheServiceManagerIsServedAndPassedOn(t *testing.T) {
	t.Parallel()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	file, err := socket.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	notify := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	heard := func() string {
		t.Helper()
		_ = manager.SetReadDeadline(time.Now().Add(time.Minute))
		buf := make([]byte, 100)
		n, err := manager.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	p := prepare(t, instanceOf(t), "pools: [{name: m, capabilities: [echo], members: ['http://127.0.0.1:1'], workers: {min: 0, max: 0, spare: 0}}]")
	p.cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=listen exec "$0" "$@"`, binary, "balancer", "--config", p.config, "--driver", "process")
	p.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify)
	p.cmd.ExtraFiles = []*os.File{file}
	p.run()
	if p.url != "http://"+socket.Addr().String() {
		t.Errorf("it serves %s, the socket is %s", p.url, socket.Addr())
	}
	if said := heard(); said != "READY=1" {
		t.Errorf("it said %q", said)
	}
	for range 2 {
		p.replace()
		if said := heard(); said != fmt.Sprintf("MAINPID=%d", p.heir) {
			t.Errorf("it said %q, the new process is %d", said, p.heir)
		}
		if code, body, _ := run(t, nil, "status", "--admin", p.admin, "--json"); code != 0 || !strings.Contains(body, p.instance) {
			t.Errorf("its status is %d %q", code, body)
		}
		if resp, err := http.Get(p.url); err != nil {
			t.Error(err)
		} else {
			resp.Body.Close()
		}
	}
	p.end()
	if said := heard(); said != "STOPPING=1" {
		t.Errorf("it said %q", said)
	}
}
