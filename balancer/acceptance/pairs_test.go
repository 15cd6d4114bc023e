package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/fleet"
)

// TestPairsAgreeOnWhatIsARequest sends the bytes of the rows through HAProxy and nginx in front of the balancer and behind it, over connections that
// many clients share. Where two in a row read differently, somebody's bytes become somebody else's request: so no worker may see what hides in a
// body, and every client between gets its own answer. Without the programs it is skipped, but where tools are required.
func TestPairsAgreeOnWhatIsARequest(t *testing.T) {
	for _, p := range []peer{{"haproxy", haproxy}, {"nginx", nginx}} {
		program, err := exec.LookPath(p.name)
		if err != nil {
			if os.Getenv("UNDERSTUDY_REQUIRE_TOOLS") != "" {
				t.Fatalf("%s is not installed: apt-get install %s", p.name, p.name)
			}
			t.Skipf("%s is not installed", p.name)
		}
		for _, place := range []string{"in front", "behind"} {
			t.Run(p.name+" "+place, func(t *testing.T) {
				none := func(p *plan) { p.workers, p.pool().Concurrency = nil, 16 }
				row{name: "pairs", fault: true, with: none, run: func(x *trial) { x.pair(p, program, place == "in front") }}.try(t, fronts()[0])
			})
		}
	}
}

// peer is another proxy. command yields how to run it on one address, passing on to another one.
type peer struct {
	name    string
	command func(program, dir, address, to string) *exec.Cmd
}

// through is a field that the peers add to each request that they read. One that hides has none. Where the other program in front is lenient (HAProxy takes
// a length of "5,5" for 5) it reads what hides as the next request of the same client, and says so to us: that is no way around anybody.
const through = "X-Read-By-Peer"

func haproxy(program, dir, address, to string) *exec.Cmd {
	file := filepath.Join(dir, "haproxy.cfg")
	text := "defaults\n mode http\n http-reuse always\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n" +
		"frontend f\n bind " + address + "\n http-request set-header " + through + " %[src_port]\n default_backend b\nbackend b\n server s " + to + "\n"
	_ = os.WriteFile(file, []byte(text), 0o600) // it says itself that there is none
	return exec.Command(program, "-db", "-f", file)
}

func nginx(program, dir, address, to string) *exec.Cmd {
	file := filepath.Join(dir, "nginx.conf")
	text := "daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {}\nhttp { access_log off; merge_slashes off;\n" +
		" ignore_invalid_headers off; underscores_in_headers on; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n" +
		" upstream u { server " + to + "; keepalive 8; }\n server { listen " + address + ";\n" +
		"  location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header " + through + " $remote_port; proxy_request_buffering off; } } }\n"
	_ = os.WriteFile(file, []byte(text), 0o600)
	return exec.Command(program, "-p", dir, "-e", "stderr", "-c", file)
}

// start runs a peer until the row ends, and yields its address.
func (p peer) start(x *trial, program, to string) (address string, stop func()) {
	l, err := net.Listen("tcp", "127.77.0.1:0") // a free port, where nothing of this machine begins a connection meanwhile
	if err != nil {
		x.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close()
	cmd := p.command(program, x.TempDir(), address, to)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		x.Fatal(err)
	}
	x.await(p.name+" is there", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return address, func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if len(x.failures) > 0 {
			x.Errorf("%s said: %.2000s", p.name, out.String())
		}
	}
}

func (x *trial) pair(p peer, program string, inFront bool) {
	rec, err := newRecorder(func(w *play) bool { return w.read() == nil && w.answer(200, "", w.request()) })
	if err != nil {
		x.Fatal(err)
	}
	defer rec.close()
	worker := rec.l.Addr().String()
	if !inFront {
		address, stop := p.start(x, program, worker)
		defer stop()
		worker = address
	}
	x.join(fleet.Info{ID: "pair", Pool: "general", Address: "http://" + worker, Generation: "pair", Origin: fleet.Cold})
	if inFront {
		own := x.addr
		address, stop := p.start(x, program, own)
		x.addr = address
		defer func() { x.addr = own; stop() }()
	}
	x.own("first", true)
	x.hostile()
	x.own("last", true)
	x.closeClients()
	x.fleet.Remove("pair")
	honest := 0
	for _, m := range rec.requests() {
		switch {
		case strings.Contains(m.start, "smug") && !(inFront && m.has(through)):
			x.Errorf("the worker saw what was hidden: %q in %.300q", m.start, hiding(m.start))
		case m.fault != nil && !m.broken():
			x.Errorf("the worker got what HTTP does not allow: %v in %q", m.fault, m.start)
		default:
			honest++
		}
	}
	if honest < len(seeds()) {
		x.Errorf("the worker saw only %d requests: nothing was tried", honest)
	}
}

// hiding is the seed that a hidden request came from.
func hiding(start string) string {
	i := 0
	_, _ = fmt.Sscanf(start[strings.Index(start, "smug"):], "smug%04d", &i)
	return seeds()[i]
}

// hostile sends all seeds, and an honest request behind each.
func (x *trial) hostile() {
	next := make(chan string)
	var clients sync.WaitGroup
	for i := range 6 {
		clients.Go(func() {
			for seed := range next {
				x.spit(seed)
				for n := range 3 {
					x.own(fmt.Sprintf("%d-%d-%d", i, len(seed), n), false)
				}
			}
		})
	}
	for i, seed := range seeds() {
		next <- strings.ReplaceAll(seed, "smuggled", fmt.Sprintf("smug%04d", i)) // as long, and it tells which
	}
	close(next)
	clients.Wait()
}

// spit sends bytes, and leaves when nothing more comes back for a moment.
func (x *trial) spit(seed string) {
	c, err := x.connect()
	if err != nil {
		x.Errorf("%v", err)
		return
	}
	defer c.close()
	c.send(seed)
	_ = c.c.SetDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = io.Copy(io.Discard, c.r)
}

// own is an honest client: whatever it gets as an answer is the one to what it asked. It may be told that something broke, unless it must be served.
func (x *trial) own(name string, served bool) {
	target := "/mult/own/" + name
	c, err := x.connect()
	if err != nil {
		x.Errorf("%v", err)
		return
	}
	defer c.close()
	a, err := c.send(get(target, "")).read("GET")
	switch {
	case err != nil:
		x.Errorf("an honest client got no answer: %v", err)
	case a.status == 200 && string(a.body) != "GET "+target:
		x.Errorf("asked for %s, got the answer to %q", target, a.body)
	case a.status != 200 && (served || a.status < 500):
		x.Errorf("an honest client got %d %.200q", a.status, a.body)
	}
}
