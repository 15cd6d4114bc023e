//go:build long

package e2e

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/admin"
	"understudy/client"
)

// badPool is a pool of one worker that misbehaves, and what is to come of it.
type badPool struct {
	name    string
	env     string // of its worker
	ready   string // how long it has to get ready
	init    bool   // whether something else is its process 1, which then gets the signals of docker kill in its place
	hand    string // the docker command that an operator uses on each of its workers
	reason  string // how its workers end; empty: they do not
	said    string // in the error of its last exit
	printed string // in the last lines of its last exit, as they are shown
}

// badPools are all of them. In a long run that which takes long takes as long as in life.
func badPools(long bool) []badPool {
	late, patience, megabytes := "4s", "2s", "8"
	if long {
		late, patience, megabytes = "20s", "5s", "100"
	}
	return []badPool{
		{name: "exits", init: true, env: "MODE=exit", reason: "exit", said: "code 3", printed: `cannot find the \x1b[2Jmodel`},
		{name: "deaf", env: "MODE=deaf", ready: patience, reason: "never_ready", said: "ready.timeout", printed: "I am deaf"},
		{name: "late", init: true, env: "MODE=late, AFTER=" + late, ready: "60s"},
		{name: "too-late", env: "MODE=late, AFTER=" + late, ready: patience, reason: "never_ready", said: "ready.timeout"},
		{name: "hangs", env: "MODE=hang, AFTER=1s", reason: "hung", said: "no answer in time", printed: "I am hang"},
		{name: "stubborn", init: true, env: "MODE=stubborn"},
		{name: "hungry", init: true, env: "MODE=hungry, AFTER=1s", reason: "oom", said: "oom flag = true", printed: "something larger"},
		{name: "brief", env: "MODE=brief, AFTER=3s", reason: "exit", said: "code 0", printed: "that was all"},
		{name: "stranger", env: "MODE=stranger", ready: "8s", reason: "identity", said: "identity"},
		{name: "chatty", env: "MODE=chatty, MEGABYTES=" + megabytes, ready: "60s", hand: "kill", reason: "signal", said: "oom flag = false", printed: "last words"},
		{name: "paused", hand: "pause", reason: "hung", said: "no answer in time"},
		{name: "stopped", hand: "kill -s STOP", reason: "hung", said: "no answer in time"},
		{name: "killed", init: true, hand: "kill", reason: "signal", said: "oom flag = false"},
		{name: "removed", hand: "rm -f", reason: "removed", said: "somebody removed"},
	}
}

func (b badPool) config(image string) string {
	ready, env := b.ready, b.env
	if ready == "" {
		ready = "30s"
	}
	if env == "" {
		env = "MODE="
	}
	return fmt.Sprintf(`
  - {name: %[1]s, capabilities: [%[1]s], image: %[2]q, pull: never, port: 8080, security: strict, init: %[5]t, env: [%[3]s],
     resources: {memory: 32MiB}, workers: {min: 1, max: 1, spare: 0}, ready: {path: /, identity: required, timeout: %[4]s}}
`, b.name, image, env, ready, b.init)
}

// A pool of each kind of bad worker beside one that serves: it loses no request, and each of the others is started so often and no more, and told by its reason. `make bad-workers` lets
// it go on for two minutes.
func TestBadWorkersAreStartedLessAndLessOftenAndHarmNobodyElse(t *testing.T) {
	requireDocker(t)
	lasts, err := time.ParseDuration(os.Getenv("BAD_WORKERS"))
	if err != nil {
		lasts = 12 * time.Second
	}
	image := scratchImage(t, "badworker", "./testdata/badworker")
	bad := badPools(lasts >= time.Minute)
	pools := "\npools:\n  - {name: good, capabilities: [mult], env: [DURATION=5ms..20ms], workers: {min: 2, max: 4, spare: 1}}\n"
	for _, b := range bad {
		pools += b.config(image)
	}
	began := time.Now()
	p := launch(t, instanceOf(t), pools, "--driver", "docker")
	await(t, "the good pool has its workers", func() bool { return len(p.workers("good", "active", "spare")) == 3 })
	var operators sync.WaitGroup
	over := make(chan struct{})
	done := sync.OnceFunc(func() { close(over); operators.Wait() })
	defer done()
	for _, b := range bad {
		if b.hand != "" {
			operators.Go(func() { operate(p, b, over) })
		}
	}
	report, err := client.Run(t.Context(), client.Options{Target: p.url, Rate: 20, Duration: lasts, Mix: client.Mix{{Capability: "mult", Weight: 1}}, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("good: %d requests, %d failed, p95 %.0f ms, p99 %.0f ms", report.Count, report.Errors, report.Latency.P95, report.Latency.P99)
	if report.Errors > 0 {
		t.Errorf("the good pool lost %d requests: %v", report.Errors, report.ErrorSamples)
	}
	if last := poolOf(t, p, "good").LastExit; last != nil {
		t.Errorf("the good pool had an exit: %+v", last)
	}
	serving := func(b badPool) bool { return b.reason == "" }
	judge := func(bad []badPool) {
		ends := map[string]*admin.Exit{}
		for _, b := range bad {
			await(t, b.name+" is told", func() (is bool) { ends[b.name], is = told(t, p, b); return is })
		}
		lasted := time.Since(began)
		for _, b := range bad {
			b.judge(t, p, ends[b.name], lasted)
		}
	}
	judge(slices.DeleteFunc(slices.Clone(bad), func(b badPool) bool { return !serving(b) }))
	forced := stubborn(t, p) // takes all its grace: the others are judged meanwhile
	judge(slices.DeleteFunc(bad, serving))
	done()
	forced()
	shown(t, p)
	p.end()
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("containers left: %v", left)
	}
}

// operate does to each ready worker of a pool what an operator would, until it is over.
func operate(p *process, b badPool, over <-chan struct{}) {
	done := map[string]bool{}
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
		}
		for _, w := range p.workers(b.name, "active", "spare") {
			if !done[w.ID] {
				done[w.ID] = true
				name := fmt.Sprintf("understudy-%s-%s-%s", p.instance, b.name, w.ID)
				_ = exec.Command("docker", append(strings.Fields(b.hand), name)...).Run() // it may have gone by itself
			}
		}
	}
}

func poolOf(t *testing.T, p *process, name string) admin.Pool {
	t.Helper()
	for _, pool := range p.status().Pools {
		if pool.Name == name {
			return pool
		}
	}
	t.Fatalf("there is no pool %s", name)
	return admin.Pool{}
}

// count reads a metric of the pool out of a scrape.
func (b badPool) count(scrape, name, label, word string) int {
	n, _ := strconv.Atoi(sampleOf(scrape, fmt.Sprintf("understudy_%s{pool=%q,%s=%q}", name, b.name, label, word)))
	return n
}

// told reports whether what happens to the pool's workers has been seen: its reason, or that the worker serves. The end it was seen in is the one to
// judge: the engine may tell of the next one's kill before it tells of the memory, and then never tells of that.
func told(t *testing.T, p *process, b badPool) (*admin.Exit, bool) {
	if b.reason == "" {
		return nil, len(p.workers(b.name, "active", "spare")) == 1
	}
	last := poolOf(t, p, b.name).LastExit
	if last == nil || last.Reason != b.reason || b.count(get(t, p.admin+"/metrics"), "worker_exits_total", "reason", b.reason) == 0 {
		return nil, false
	}
	if b.reason != "oom" {
		return last, true
	}
	_, text, _ := run(t, nil, "status", "--admin", p.admin)
	_, json, _ := run(t, nil, "status", "--json", "--admin", p.admin)
	return last, strings.Contains(text, "oom flag = true") && strings.Contains(json, "oom flag = true")
}

func (b badPool) judge(t *testing.T, p *process, last *admin.Exit, lasted time.Duration) {
	t.Helper()
	scrape, starts := get(t, p.admin+"/metrics"), 0
	for _, result := range []string{"ok", "failed", "timeout", "image"} { // a port that somebody holds, an engine that is away are no fault of the worker
		starts += b.count(scrape, "worker_starts_total", "result", result)
	}
	// 1, 2, 4 .. 60 s between them: one at 0 s, 1 s, 3 s, 7 s .. 63 s, then one a minute; a first one that lasted 10 s is replaced at once
	most := 2 + int(math.Log2(min(lasted.Seconds(), 63)+1)) + 1 + int(max(0, lasted.Seconds()-63)/60)
	if b.reason == "" {
		most = 1
	}
	if starts > most {
		t.Errorf("%s: %d starts in %s, at most %d", b.name, starts, lasted, most)
	}
	if b.reason == "" {
		if last := poolOf(t, p, b.name).LastExit; last != nil {
			t.Errorf("%s: %+v", b.name, last)
		}
		return
	}
	t.Logf("%-9s %2d starts; %s: %s", b.name, starts, last.Reason, last.Error)
	if !strings.Contains(last.Error, b.said) || !strings.Contains(strings.Join(last.Logs, "\n"), b.printed) || len(last.Logs) > 20 {
		t.Errorf("%s: %+v", b.name, last)
	}
	for _, other := range []string{"exit", "oom", "signal", "removed", "hung", "identity", "broken", "never_ready"} {
		if n := b.count(scrape, "worker_exits_total", "reason", other); n > 0 && other != b.reason && !(b.reason == "oom" && other == "signal") { // an engine may tell of the kill before it tells of the memory
			t.Errorf("%s: %d exits are counted as %s", b.name, n, other)
		}
	}
}

// stubborn: a worker that hears no request to end is forced, and that is said. It asks for the end, and returns what waits for it.
func stubborn(t *testing.T, p *process) (forced func()) {
	t.Helper()
	worker := p.workers("stubborn", "active", "spare")[0].ID
	if err := p.drain(worker); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		await(t, "the worker that hears nothing is gone", func() bool { return !hasIn(p, "stubborn", worker) })
		mustSay(t, p.output.String(), "did not end when asked to")
		if last := poolOf(t, p, "stubborn").LastExit; last != nil {
			t.Errorf("a worker that we removed: %+v", last)
		}
	}
}

// shown: whatever workers print, a terminal shows it and does not obey it.
func shown(t *testing.T, p *process) {
	t.Helper()
	obeyed := regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}\x{202e}]`)
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"logs", "chatty"}, {"logs", "exits"}} {
		await(t, strings.Join(args, " ")+" answers", func() bool { // an engine may take too long over a worker that prints so much: that is an error, and not for ever
			code, out, stderr := run(t, nil, append(args, "--admin", p.admin)...)
			if found := obeyed.FindString(out); found != "" {
				t.Errorf("%v: %q is shown as it is", args, found)
			}
			if code != 0 && args[0] == "status" {
				t.Fatalf("%v: exit code %d: %s", args, code, stderr)
			}
			return code == 0
		})
	}
}
