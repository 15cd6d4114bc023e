//go:build long

package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"understudy/admin"
)

const sleepyPool = `
pools:
  - name: general
    capabilities: [mult]
    env: [DURATION=300ms..300ms]
    workers: {min: 1, max: 4, spare: 1, spare_mode: paused}
`

// sleeper waits until a spare sleeps, and makes sure that the engine and the balancer mean the same.
func sleeper(t *testing.T, p *process) admin.Worker {
	t.Helper()
	var found admin.Worker
	await(t, "the spare sleeps", func() bool {
		for _, w := range p.workers("general", "spare") {
			if w.Asleep {
				found = w
			}
		}
		return found.Asleep
	})
	out, err := exec.Command("docker", "ps", "--filter", "label=understudy.instance="+p.instance, "--filter", "status=paused", "--format", "{{.Names}}").Output()
	if names := strings.Fields(string(out)); err != nil || len(names) != 1 || !strings.HasSuffix(names[0], found.ID) {
		t.Fatalf("%s is said to sleep; paused are %q (%v)", found.ID, names, err)
	}
	return found
}

type reply struct {
	status int
	start  string
	worker string
	took   time.Duration
	err    error
}

// together sends n tasks at once.
func together(p *process, n int) []reply {
	replies := make(chan reply)
	for range n {
		go func() {
			began := time.Now()
			resp, err := http.Post(p.url+"/mult", "application/json", strings.NewReader(`{"a":6,"b":7}`))
			if err != nil {
				replies <- reply{err: err}
				return
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			replies <- reply{resp.StatusCode, resp.Header.Get("X-Understudy-Start"), resp.Header.Get("X-Understudy-Worker"), time.Since(began), err}
		}()
	}
	var out []reply
	for range n {
		out = append(out, <-replies)
	}
	return out
}

func TestASpareSleepsUntilARequestNeedsItAndIsAdoptedAsleep(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, sleepyPool, "--driver", "docker")
	asleep := sleeper(t, p)
	woke := false
	for _, r := range together(p, 2) {
		if r.err != nil || r.status != http.StatusOK {
			t.Errorf("%+v", r)
		}
		woke = woke || r.worker == asleep.ID && r.start == "spare"
	}
	if !woke {
		t.Error("the spare that slept served nobody")
	}
	if got := metric(t, p, `understudy_worker_wake_duration_seconds_count{pool="general",result="ok"}`); got != "1" {
		t.Errorf("%q wakes are counted", got)
	}
	sleeper(t, p)
	p.kill()

	next := launch(t, p.instance, sleepyPool, "--driver", "docker")
	adopted := 0
	for _, w := range next.workers("general", "active", "spare") {
		if w.Start == "adopted" && !w.Asleep {
			adopted++
		}
	}
	if adopted < 2 {
		t.Errorf("%d workers were adopted awake, want at least 2", adopted)
	}
	for _, r := range together(next, 2) {
		if r.err != nil || r.status != http.StatusOK {
			t.Errorf("after the start: %+v", r)
		}
	}
	sleeper(t, next)
	next.end()
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("containers left: %v", left)
	}
}
