package acceptance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestSlowHTTPTestDoesNotStopANormalClient attacks with all four ways of Debian's slowhttptest at the same time: slow heads, slow bodies, range
// headers, slow reading. A normal client is served all the while. Without the program it is skipped, but where tools are required.
func TestSlowHTTPTestDoesNotStopANormalClient(t *testing.T) {
	program, err := exec.LookPath("slowhttptest")
	if err != nil {
		if os.Getenv("UNDERSTUDY_REQUIRE_TOOLS") != "" {
			t.Fatal("slowhttptest is not installed: apt-get install slowhttptest")
		}
		t.Skip("slowhttptest is not installed")
	}
	for _, f := range fronts()[:2] { // over TLS most of the work is the attackers' handshakes
		t.Run(f.name, func(t *testing.T) {
			row{name: "slowhttptest", fault: true, with: exposed, run: func(x *trial) { x.attack(program) }}.try(t, f)
		})
	}
}

// exposed has the limits of a public balancer, and room for a machine that has other work: where threads wait for a processor for a second, a limit of
// that length probably ends honest heads, and the second that connecting to a worker may take is over although the worker is there. One such
// connect was seen to take 1.4 s.
func exposed(p *plan) {
	p.header, p.Limits.Idle, p.Limits.Body = 5*time.Second, 5*time.Second, 1<<20
	p.pool().Concurrency, p.pool().Queue.Length = 100, 10000
}

func (x *trial) attack(program string) {
	x.maySee("GET /mult/attack", 1<<20)
	x.maySee("HEAD /mult/attack", 1<<20)
	ctx, cancel := context.WithTimeout(x.Context(), patience)
	defer cancel()
	url := "http://" + x.addr + "/mult/attack"
	ended := make(chan error, 4)
	for _, mode := range [][]string{{"-H"}, {"-B", "-s", "8192"}, {"-R", "-a", "10", "-b", "3000"}, {"-X", "-w", "10", "-y", "20", "-z", "32", "-k", "3"}} {
		args := append(mode, "-c", "150", "-r", "150", "-i", "1", "-l", "4", "-p", "2", "-t", "GET", "-u", url)
		if mode[0] == "-B" {
			x.maySee("FAKEVERB /mult/attack", 1<<20)
		}
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = x.TempDir()
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			x.Fatal(err)
		}
		go func() {
			err := cmd.Wait()
			if err == nil && !bytes.Contains(out.Bytes(), []byte("Exit status")) {
				err = os.ErrInvalid
			}
			ended <- err
		}()
	}
	served := 0
	pace := time.NewTicker(20 * time.Millisecond) // without a pause it would be an attack of its own
	defer pace.Stop()
	for running := 4; running > 0; {
		select {
		case err := <-ended:
			running--
			if err != nil {
				x.Errorf("the attack itself failed: %v", err)
			}
		case <-pace.C:
			if a, err := x.dial().send(get(after, "Connection: close\r\n")).read("GET"); err != nil || a.status != 200 {
				x.Fatalf("a normal client after %d: %+v %v", served, a, err)
			}
			x.closeClients()
			served++
		}
	}
	if served < 3 { // hundreds, unless the attackers' own work leaves no time
		x.Errorf("only %d normal requests were served", served)
	}
}
