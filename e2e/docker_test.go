package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/client"
)

const quickPool = `
pools:
  - name: general
    capabilities: [mult, add]
    env: [DURATION=20ms..60ms]
    workers: {min: 1, max: 8, spare: 1}
`

func TestUnderLoadWorkersComeStepInAndGoAndNothingIsLeft(t *testing.T) {
	requireDocker(t)
	p := start(t, strings.ReplaceAll(quickPool, "20ms..60ms", "50ms..150ms"), "--driver", "docker")
	if n := len(p.workers("general", "active", "spare")); n < 1 {
		t.Fatalf("%d workers when it says it is ready", n)
	}
	await(t, "the spare is there too", func() bool { return len(p.workers("general", "spare")) == 1 })
	most := make(chan int, 1)
	stop := make(chan struct{})
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				most <- n
				return
			case <-time.After(200 * time.Millisecond):
				n = max(n, len(p.workers("general", "active")))
			}
		}
	}()
	report, err := client.Run(t.Context(), client.Options{
		Target: p.url, Rate: 30, Duration: 12 * time.Second, Mix: client.Mix{{Capability: "mult", Weight: 2}, {Capability: "add", Weight: 1}}, Seed: 1,
	}, nil)
	close(stop)
	if err != nil {
		t.Fatal(err)
	}
	peak := <-most
	t.Logf("%d requests, p95 %.0f ms, at most %d workers active, starts %+v", report.Count, report.Latency.P95, peak, report.Starts)
	if report.Errors > 0 {
		t.Errorf("%d errors: %v", report.Errors, report.ErrorSamples)
	}
	if peak < 3 {
		t.Errorf("3 erlang of load were served by %d workers at most", peak)
	}
	if report.Starts.Spare == 0 {
		t.Error("the spare never stepped in")
	}
	// All but what the reserve keeps for a while because requests missed their target at the beginning.
	await(t, "most of the workers are gone", func() bool {
		return len(p.workers("general", "active")) <= peak/2 && len(p.workers("general", "spare")) == 1
	})
	p.end()
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("containers left: %v", left)
	}
	noNetworks(t, p.instance)
}

func noNetworks(t *testing.T, instance string) {
	t.Helper()
	out, err := exec.Command("docker", "network", "ls", "--format", "{{.Name}}", "--filter", "label=understudy.instance="+instance).Output()
	if err != nil || len(out) > 0 {
		t.Errorf("networks left: %s%v", out, err)
	}
}

// The figure: 1 000 requests back to back while workers are started, drained and removed the whole time, 30 of each: none fails.
func TestAThousandRequestsWhileWorkersComeAndGoLoseNothing(t *testing.T) {
	requireDocker(t)
	p := start(t, strings.ReplaceAll(quickPool, "min: 1, max: 8", "min: 2, max: 6"), "--driver", "docker")
	done := make(chan struct{})
	removed := make(chan int, 1)
	go func() {
		n := 0
		defer func() { removed <- n }()
		for n < 30 {
			victim := oldestReady(p)
			if victim == "" {
				continue
			}
			if p.drain(victim) == nil {
				n++
			}
			await(t, "it is gone", func() bool { return !has(p, victim) })
		}
	}()
	var mu sync.Mutex
	total, failed := 0, 0
	var sample map[client.Cause]string
	go func() {
		defer close(done)
		for churning := true; churning; {
			report, err := client.Run(t.Context(), client.Options{Target: p.url, N: 250, Concurrency: 2, Mix: client.Mix{{Capability: "mult", Weight: 1}, {Capability: "add", Weight: 1}}}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			total += report.Count
			failed += report.Errors
			if report.Errors > 0 {
				sample = report.ErrorSamples
			}
			mu.Unlock()
			select {
			case n := <-removed:
				removed <- n
				churning = total < 1000
			default:
			}
		}
	}()
	<-done
	n := <-removed
	t.Logf("%d requests while %d workers were drained, removed and replaced: %d failed", total, n, failed)
	if n < 30 || total < 1000 || failed > 0 {
		t.Errorf("%d removals, %d requests, %d failed: %v", n, total, failed, sample)
	}
	if lost := metric(t, p, `understudy_requests_lost_total{cause="scale_down",pool="general"}`); lost != "" && lost != "0" {
		t.Errorf("requests lost to scale-down: %s", lost)
	}
}

func oldestReady(p *process) string {
	oldest, age := "", 0.0
	for _, w := range p.workers("general", "active", "spare") {
		if w.AgeS > age {
			oldest, age = w.ID, w.AgeS
		}
	}
	return oldest
}

func has(p *process, id string) bool {
	for _, w := range p.workers("general") {
		if w.ID == id {
			return true
		}
	}
	return false
}

// metric reads one sample of /metrics; empty when it is not there.
func metric(t *testing.T, p *process, sample string) string {
	t.Helper()
	for line := range strings.Lines(get(t, p.admin+"/metrics")) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestAfterAKillTheNextStartAdoptsAndAnswersWithinASecond(t *testing.T) {
	requireDocker(t)
	p := start(t, quickPool, "--driver", "docker")
	await(t, "worker and spare are there", func() bool { return len(p.workers("general", "active", "spare")) == 2 })
	before := containers(t, p.instance)
	p.kill()
	if after := containers(t, p.instance); len(after) != len(before) {
		t.Fatalf("%d containers before the kill, %d after", len(before), len(after))
	}
	foreign, err := exec.Command("docker", "network", "create", "--label", "somebody=else", p.instance+"-foreign").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, foreign)
	}
	defer exec.Command("docker", "network", "rm", p.instance+"-foreign").Run()

	began := time.Now()
	next := launch(t, p.instance, quickPool, "--driver", "docker")
	resp, _ := next.post("/mult", `{"a":6,"b":7}`)
	took := time.Since(began)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the first answer is %s", resp.Status)
	}
	t.Logf("from the start of the process to the first answer of an adopted worker: %v", took)
	adopted := 0
	for _, w := range next.workers("general") {
		if w.Start == "adopted" {
			adopted++
		}
	}
	if adopted != 2 {
		t.Errorf("%d workers were adopted, want 2", adopted)
	}
	next.kill()
	code, out, stderr := run(t, nil, "cleanup", "--instance", p.instance, "--dry-run")
	if code != 0 || strings.Count(out, "container") < 2 {
		t.Errorf("dry run: %d\n%s%s", code, out, stderr)
	}
	if n := len(containers(t, p.instance)); n != 2 {
		t.Errorf("the dry run left %d of 2 containers", n)
	}
	if code, _, stderr := run(t, nil, "cleanup", "--instance", p.instance); code != 0 {
		t.Errorf("cleanup: %d %s", code, stderr)
	}
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("left by cleanup: %v", left)
	}
	if out, _ := exec.Command("docker", "network", "ls", "-q", "--filter", "name="+p.instance+"-foreign").Output(); len(out) == 0 {
		t.Error("cleanup took a network that is not ours")
	}
}

func TestQuitDrainsAndEndsTheBalancer(t *testing.T) {
	requireDocker(t)
	p := start(t, quickPool, "--driver", "docker")
	if code, _, stderr := run(t, nil, "client", "quit", "--admin", p.admin); code != 0 {
		t.Errorf("quit: %d %s", code, stderr)
	}
	<-p.exited
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	code, _, stderr := run(t, nil, "status", "--admin", p.admin)
	if code != 1 {
		t.Errorf("status without a balancer: exit code %d", code)
	}
	mustSay(t, stderr, "no balancer answers at "+p.admin)
}

func TestAnImageThatIsNowhereMakesItsPoolUnavailableAndNoOther(t *testing.T) {
	requireDocker(t)
	p := start(t, quickPool+`
  - name: broken
    image: understudy-e2e/no-such-image:1
    pull: never
    capabilities: [pdf]
    workers: {min: 1, max: 2, spare: 0}
`, "--driver", "docker")
	await(t, "the pool is unavailable", func() bool { return p.status().Pools[1].Unavailable != "" })
	mustSay(t, p.status().Pools[1].Unavailable, "no-such-image")
	resp, body := p.post("/pdf", "{}")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	mustSay(t, body, "no-worker")
	if resp, _ := p.post("/mult", `{"a":6,"b":7}`); resp.StatusCode != http.StatusOK {
		t.Errorf("the other pool answers %s", resp.Status)
	}
}

func TestAWorkerImageThatExitsAtOnceIsExplainedInStatus(t *testing.T) {
	requireDocker(t)
	image := scratchImage(t, "crasher", "./testdata/crasher")
	p := start(t, quickPool+fmt.Sprintf(`
  - name: crasher
    image: %s
    pull: never
    capabilities: [crash]
    workers: {min: 1, max: 2, spare: 0}
`, image), "--driver", "docker")
	await(t, "the exit is known", func() bool { return len(p.status().Pools[1].LastLogs) > 0 })
	pool := p.status().Pools[1]
	mustSay(t, pool.LastError, "code 3")
	mustSay(t, strings.Join(pool.LastLogs, "\n"), "cannot find the model")
	if n := len(p.workers("crasher")); n > 1 {
		t.Errorf("%d at a time of a worker that exits at once", n)
	}
}

func TestAWorkerKilledByAnOperatorIsReplacedAndAPortSomebodyHoldsIsShown(t *testing.T) {
	requireDocker(t)
	p := launch(t, instanceOf(t), quickPool, "--driver", "docker")
	taken := p.status().Ports.From + 5
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	await(t, "worker and spare", func() bool { return len(p.workers("general", "active", "spare")) == 2 })
	first := p.workers("general")
	if out, err := exec.Command("docker", append([]string{"kill"}, containers(t, p.instance)...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, "both were replaced", func() bool {
		return len(p.workers("general", "active", "spare")) == 2 && !has(p, first[0].ID) && !has(p, first[1].ID)
	})
	if resp, _ := p.post("/mult", `{"a":6,"b":7}`); resp.StatusCode != http.StatusOK {
		t.Errorf("after the replacement: %s", resp.Status)
	}
	for range 3 { // the ports go round: the taken one's turn comes
		victim := oldestReady(p)
		if err := p.drain(victim); err != nil {
			t.Fatal(err)
		}
		await(t, "it is replaced", func() bool { return !has(p, victim) && len(p.workers("general", "active", "spare")) == 2 })
	}
	ports := p.status().Ports
	if len(ports.Troubles) != 1 || ports.Troubles[0].Port != taken {
		t.Errorf("the port %d that this test holds is not shown: %+v", taken, ports)
	}
}

func TestOnExitLeaveHandsTheWorkersToTheNextBalancer(t *testing.T) {
	requireDocker(t)
	p := start(t, quickPool, "--driver", "docker", "--on-exit", "leave")
	await(t, "worker and spare", func() bool { return len(p.workers("general", "active", "spare")) == 2 })
	before := containers(t, p.instance)
	p.end()
	if left := containers(t, p.instance); len(left) != len(before) {
		t.Fatalf("%d containers before, %d left", len(before), len(left))
	}
	next := launch(t, p.instance, quickPool, "--driver", "docker")
	for _, w := range next.workers("general") {
		if w.Start != "adopted" {
			t.Errorf("%s is %s", w.ID, w.Start)
		}
	}
	next.end()
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("left by the second, which removes: %v", left)
	}
	noNetworks(t, p.instance) // not even the one the first balancer made
}

func TestTheGuardRemovesWhatAKilledBalancerLeftWhenNobodyTakesOver(t *testing.T) {
	requireDocker(t)
	p := start(t, "guard: 2s\n"+quickPool, "--driver", "docker")
	await(t, "worker and spare", func() bool { return len(p.workers("general", "active", "spare")) == 2 })
	p.kill()
	await(t, "the containers are gone", func() bool { return len(containers(t, p.instance)) == 0 })
	await(t, "the instance can be run again", func() bool {
		code, _, _ := run(t, nil, "cleanup", "--instance", p.instance)
		return code == 0
	})
}
