package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"understudy/client"
	"understudy/driver/drivertest"
)

// What needs no containers is tested with local processes: the same program, the same paths, quicker starts.

func TestAChangedFileMovesTheBoundsAndAMistakeLeavesThemAsTheyWere(t *testing.T) {
	t.Parallel()
	p := start(t, onePool, "--driver", "process")
	p.rewrite(strings.ReplaceAll(onePool, "min: 1", "min: 3"))
	await(t, "the new minimum is in force", func() bool { return len(p.workers("general", "active")) == 3 })
	p.rewrite(strings.ReplaceAll(onePool, "min: 1", "min: 9"))
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, "the mistake is reported", func() bool { return strings.Contains(p.output.String(), "is refused") })
	mustSay(t, p.output.String(), "workers.min")
	if got := metric(t, p, "understudy_config_last_reload_success"); got != "0" {
		t.Errorf("config_last_reload_success is %q", got)
	}
	if pool := p.status().Pools[0]; pool.Min != 3 {
		t.Errorf("min is %d after a file with a mistake", pool.Min)
	}
	p.rewrite(strings.ReplaceAll(onePool, "[mult, add]", "[mult, add, pdf]"))
	await(t, "what needs a restart is named", func() bool { return strings.Contains(p.output.String(), "pool general: capabilities") })
	if resp, _ := p.post("/pdf", "{}"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a capability that needs a restart answers %s", resp.Status)
	}
}

const guests = `
pools:
  - name: guests
    capabilities: [mult, add]
    workers: {max: 0}
`

// registered runs `understudy worker` that registers with the balancer.
func registered(t *testing.T, p *process, id string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, "worker", "--listen", fmt.Sprintf("127.0.0.1:%d", drivertest.FreePort(t)), "--id", id, "--duration", "5ms..15ms")
	cmd.Env = append(os.Environ(), append(env, "PLANNER="+p.admin)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func TestWorkersThatRegisterJoinDuringARunDropOutAndAreNotAskedForWhatTheyLack(t *testing.T) {
	t.Parallel()
	p := start(t, guests, "--driver", "process")
	for i := range 3 {
		registered(t, p, fmt.Sprint("all-", i))
	}
	registered(t, p, "adder", "MULT=false") // says nothing of it: the balancer learns by 404
	dying := registered(t, p, "dying")
	await(t, "all have joined", func() bool { return len(p.workers("guests", "active")) == 5 })
	report, err := client.Run(t.Context(), client.Options{Target: p.url, N: 200, Concurrency: 4, Mix: client.Mix{{Capability: "mult", Weight: 1}, {Capability: "add", Weight: 1}}, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Errors > 0 || report.Workers["adder"].Count == 0 {
		t.Errorf("%d errors %v, the adder did %d", report.Errors, report.ErrorSamples, report.Workers["adder"].Count)
	}
	if got := metric(t, p, `understudy_retries_total{pool="guests",reason="lacks"}`); got != "1" {
		t.Errorf("the adder was asked to multiply %s times, want once", got)
	}
	_ = dying.Process.Kill()
	await(t, "the dead one has dropped out", func() bool { return !hasIn(p, "guests", "dying") })
	report, err = client.Run(t.Context(), client.Options{Target: p.url, N: 40, Concurrency: 4}, nil)
	if err != nil || report.Errors > 0 {
		t.Errorf("after one dropped out: %v, %+v", err, report)
	}
	mustSay(t, get(t, p.admin+"/workers"), `"id":"all-0"`, `"url":"http://`)
}

func hasIn(p *process, pool, id string) bool {
	for _, w := range p.workers(pool) {
		if w.ID == id {
			return true
		}
	}
	return false
}

func TestThePlannerListenerSpeaksThePlannerProtocolAndNothingElse(t *testing.T) {
	port := drivertest.FreePort(t)
	p := start(t, fmt.Sprintf("planner: {listen: \"127.0.0.1:%d\"}\n%s", port, guests), "--driver", "process")
	planner := fmt.Sprintf("http://127.0.0.1:%d", port)
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ready to work") }))
	defer worker.Close()
	resp, err := http.Post(planner+"/register", "application/json", strings.NewReader(fmt.Sprintf(`{"url":%q,"id":"a-b-c"}`, worker.URL)))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "ok" {
		t.Errorf("register: %s %q", resp.Status, body)
	}
	await(t, "it is listed", func() bool { return strings.Contains(get(t, planner+"/"), "a-b-c") })
	for _, path := range []string{"/metrics", "/api/v1/status", "/readyz"} {
		resp, err := http.Get(planner + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if len(p.workers("guests")) != 1 {
		t.Errorf("workers: %+v", p.workers("guests"))
	}
}

// A planner of the original protocol may register the balancer as if it were one worker.
func TestTheBalancerCanBeAPlannersWorker(t *testing.T) {
	p := start(t, onePool, "--driver", "process")
	mustSay(t, get(t, p.url+"/"), "ready to work")
	resp, err := http.PostForm(p.url+"/mult", url.Values{"a": {"6"}, "b": {"7"}})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	answer := decode[struct {
		Res, Duration int
		ID            string
	}](t, string(body))
	if answer.Res != 42 || answer.ID == "" {
		t.Errorf("%s", body)
	}
}

func TestFixedMembersAreBalancedToAndProbedButNeverStartedOrRemoved(t *testing.T) {
	t.Parallel()
	var counts [2]atomic.Int64
	handler := func(i int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				counts[i].Add(1)
			}
			io.WriteString(w, "fine")
		})
	}
	stays, goes := httptest.NewServer(handler(0)), httptest.NewServer(handler(1))
	defer stays.Close()
	p := start(t, fmt.Sprintf("pools:\n  - name: legacy\n    capabilities: [echo]\n    members: [%s, %s]\n    concurrency: 10\n", stays.URL, goes.URL), "--driver", "process")
	await(t, "both answer", func() bool { return len(p.workers("legacy", "active")) == 2 })
	for range 40 {
		if resp, body := p.post("/echo", "hello"); resp.StatusCode != http.StatusOK || body != "fine" {
			t.Fatalf("%s %s", resp.Status, body)
		}
	}
	if a, b := counts[0].Load(), counts[1].Load(); a != 20 || b != 20 {
		t.Errorf("40 requests were spread %d to %d", a, b)
	}
	address := goes.Listener.Addr().String()
	goes.Close()
	await(t, "the one that went is out", func() bool { return len(p.workers("legacy", "active")) == 1 })
	if resp, _ := p.post("/echo", "hello"); resp.StatusCode != http.StatusOK {
		t.Errorf("with one member left: %s", resp.Status)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	back := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler(1)}}
	back.Start()
	defer back.Close()
	await(t, "it is back", func() bool { return len(p.workers("legacy", "active")) == 2 })
}

func TestChildrenEndWithTheBalancerHoweverItEnds(t *testing.T) {
	p := start(t, onePool, "--driver", "process")
	workers := p.workers("general")
	p.kill()
	for _, w := range workers {
		await(t, "its port is free", func() bool {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.Address, "http://"))
			if err == nil {
				c.Close()
			}
			return err != nil
		})
	}
}

func TestLogsShowWhatWorkersPrintEachLineWithItsWorker(t *testing.T) {
	p := start(t, onePool, "--driver", "process")
	await(t, "worker and spare", func() bool { return len(p.workers("general", "active", "spare")) == 2 })
	code, out, stderr := run(t, nil, "logs", "general", "--admin", p.admin)
	if code != 0 {
		t.Fatalf("%d %s", code, stderr)
	}
	for _, w := range p.workers("general") {
		mustSay(t, out, w.ID+" | ")
	}
	code, _, stderr = run(t, nil, "logs", "nosuch", "--admin", p.admin)
	if code != 1 {
		t.Errorf("logs of an unknown pool: %d", code)
	}
	mustSay(t, stderr, "nosuch", "general")
}
