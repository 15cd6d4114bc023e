package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
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
	t.Parallel()
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
		Target: p.url, Rate: 30, Duration: 8 * time.Second, Mix: client.Mix{{Capability: "mult", Weight: 2}, {Capability: "add", Weight: 1}}, Seed: 1,
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
	return sampleOf(get(t, p.admin+"/metrics"), sample)
}

// sampleOf is metric for a scrape.
func sampleOf(scrape, sample string) string {
	for line := range strings.Lines(scrape) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestD06RealAfterAKillTheNextStartAdoptsAndAnswersWithinASecond(t *testing.T) {
	requireDocker(t)
	t.Parallel()
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
	kept := containers(t, p.instance) // two, or more: it may just have begun to grow
	code, out, stderr := run(t, nil, "cleanup", "--instance", p.instance, "--dry-run")
	if code != 0 || strings.Count(out, "container") < 2 || !strings.Contains(stderr, "nothing was removed") {
		t.Errorf("dry run: %d\n%s%s", code, out, stderr)
	}
	now := containers(t, p.instance)
	if gone := slices.DeleteFunc(kept, func(id string) bool { return slices.Contains(now, id) }); len(gone) > 0 {
		t.Errorf("the dry run removed %v", gone)
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
	t.Parallel()
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

func TestD19RealAnImageThatIsNowhereMakesItsPoolUnavailableAndNoOther(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, lonePool+`
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

func TestD20RealAWorkerImageThatExitsAtOnceIsExplainedInStatus(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	image := scratchImage(t, "crasher", "./testdata/crasher")
	p := start(t, lonePool+fmt.Sprintf(`
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

func TestD23RealAWorkerKilledByAnOperatorIsReplacedAndAPortSomebodyHoldsIsShown(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := launch(t, instanceOf(t), quickPool, "--driver", "docker")
	taken := p.status().Ports.From + 3 // the ports go round: two are taken at the start, and the replacements take the next two
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
	ports := p.status().Ports
	if len(ports.Troubles) != 1 || ports.Troubles[0].Port != taken {
		t.Errorf("the port %d that this test holds is not shown: %+v", taken, ports)
	}
}

func TestOnExitLeaveHandsTheWorkersToTheNextBalancer(t *testing.T) {
	requireDocker(t)
	t.Parallel()
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
