//go:build long

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"understudy/admin"
	"understudy/driver/drivertest"
)

const chaosPorts = 20

// chaosPool's timeout is what it takes to see that a worker was paused in the middle of a task.
const chaosPool = `guard: 60s
pools:
  - name: general
    capabilities: [mult]
    env: [DURATION=20ms..60ms]
    timeout: 2s
    drain: 1s
    workers: {min: 2, max: 5, spare: 1}
    target: {latency: %dms}
`

// chaos is an instance whose balancers are killed, and strangers beside it.
type chaos struct {
	t       *testing.T
	random  *rand.Rand
	p       *process // instance, configuration and addresses; its cmd is the last one started
	engine  *http.Client
	output  *os.File // of all balancers: a pipe would tie the test to the last who has it
	files   string   // their TMPDIR
	began   time.Time
	foreign map[string]string // by id, what must not change

	load                 atomic.Int32 // requests at a time
	answered, unanswered atomic.Int64
	figures              chaosFigures
}

func newChaos(t *testing.T, random *rand.Rand) *chaos {
	c := &chaos{t: t, random: random, figures: chaosFigures{kinds: map[string]int{}}, files: t.TempDir(), foreign: map[string]string{}}
	way := throughSocket(engineSocket(t))
	t.Cleanup(way.CloseIdleConnections)
	c.engine = &http.Client{Transport: way, Timeout: 20 * time.Second}
	c.p = prepare(t, fmt.Sprintf("e2e-%d-chaos", os.Getpid()), "")
	clients, control := drivertest.FreePort(t), drivertest.FreePort(t)
	c.p.head = fmt.Sprintf("instance: %s\nlisten: 127.0.0.1:%d\nadmin: 127.0.0.1:%d\nports: {from: %d, to: %d}\n",
		c.p.instance, clients, control, c.p.from, c.p.from+chaosPorts-1)
	c.p.url, c.p.admin = fmt.Sprintf("http://127.0.0.1:%d", clients), fmt.Sprintf("http://127.0.0.1:%d", control)
	c.rewrite(300)
	var err error
	if c.output, err = os.Create(filepath.Join(t.TempDir(), "output")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.killAll()
		for _, pid := range guards(c.p.instance) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		c.p.sweep()
		c.p.unlock()
		if t.Failed() {
			c.tail()
		}
	})
	return c
}

// tail shows the end of what the balancers printed.
func (c *chaos) tail() {
	raw, _ := os.ReadFile(c.output.Name())
	lines := strings.Split(string(raw), "\n")
	c.t.Logf("the balancers printed in the end:\n%s", strings.Join(lines[max(0, len(lines)-150):], "\n"))
}

func (c *chaos) rewrite(targetMS int) { c.p.rewrite(fmt.Sprintf(chaosPool, targetMS)) }

// launch starts a balancer and does not wait for it.
func (c *chaos) launch() {
	c.t.Helper()
	c.p.cmd = exec.Command(binary, "balancer", "--config", c.p.config, "--driver", "docker")
	c.p.cmd.Env = append(os.Environ(), "TMPDIR="+c.files)
	c.p.cmd.Stdout, c.p.cmd.Stderr = c.output, c.output
	c.p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group to be signalled
	c.began = time.Now()
	if err := c.p.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go c.p.cmd.Wait()
}

// balancers are the processes of this instance that live, the one that was started first first.
func (c *chaos) balancers() []int {
	pids := processes(func(args []string) bool { return len(args) > 3 && args[1] == "balancer" && args[3] == c.p.config })
	slices.Sort(pids)
	return pids
}

// killAll kills every balancer there is and waits until the kernel has taken them away.
func (c *chaos) killAll() {
	for pids := c.balancers(); len(pids) > 0; pids = c.balancers() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		c.pause(2 * time.Millisecond)
	}
}

func (c *chaos) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// moment waits for a random time.
func (c *chaos) moment(most time.Duration) { c.pause(time.Duration(c.random.Int64N(int64(most)))) }

// survives reports whether a balancer is there that is not about to end.
func (c *chaos) survives() bool {
	deadline := time.Now().Add(15 * time.Second)
	for {
		pids := c.balancers()
		if len(pids) == 0 {
			return false
		}
		if s, err := c.status(); err == nil && s.NotReady != "draining" {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		c.pause(20 * time.Millisecond)
	}
}

func (c *chaos) status() (admin.Status, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return admin.Client{Base: c.p.admin}.Status(ctx)
}

// ask is a GET to the engine.
func (c *chaos) ask(path string, filters map[string][]string, into any) error {
	raw, _ := json.Marshal(filters)
	resp, err := c.engine.Get("http://engine" + path + "?all=1&filters=" + url.QueryEscape(string(raw)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// box is a container as the engine lists it.
type box struct {
	ID, State string
	ImageID   string
	Names     []string
	Labels    map[string]string
}

// boxes lists the containers of the instance.
func (c *chaos) boxes() []box {
	c.t.Helper()
	var all []box
	if err := c.ask("/containers/json", map[string][]string{"label": {"understudy.instance=" + c.p.instance}}, &all); err != nil {
		c.t.Fatal(err)
	}
	return all
}

// ride sends requests, as many at a time as load says, whether a balancer is there or not.
func (c *chaos) ride() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 10 * time.Second}
	var riders sync.WaitGroup
	for i := range int32(12) {
		riders.Go(func() {
			for ctx.Err() == nil {
				if i >= c.load.Load() || c.post(client) != nil {
					c.pause(20 * time.Millisecond)
				}
			}
		})
	}
	return func() { cancel(); riders.Wait(); client.CloseIdleConnections() }
}

func (c *chaos) post(client *http.Client) error {
	resp, err := client.Post(c.p.url+"/mult", "application/json", strings.NewReader(`{"a":6,"b":7}`))
	if err == nil {
		var answer struct{ Res int }
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err == nil && answer.Res != 42 {
			err = fmt.Errorf("%s", resp.Status)
		}
	}
	if err != nil {
		c.unanswered.Add(1)
		return err
	}
	c.answered.Add(1)
	return nil
}

// firstAnswer measures from the last start to the first answer, when there was one.
func (c *chaos) firstAnswer() {
	c.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	deadline := c.began.Add(30 * time.Second)
	for c.post(client) != nil {
		if time.Now().After(deadline) && time.Since(c.began) > 30*time.Second {
			c.t.Fatal("no answer for 30 s")
		}
		c.pause(5 * time.Millisecond)
	}
	if !c.began.IsZero() {
		c.figures.answers = append(c.figures.answers, time.Since(c.began).Round(time.Millisecond))
	}
	c.began = time.Time{}
}

// heldPorts are those of the range that somebody listens on.
func (c *chaos) heldPorts() (held []int) {
	for port := c.p.from; port < c.p.from+chaosPorts; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			held = append(held, port)
			continue
		}
		l.Close()
	}
	return held
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(d))
	return s[int(q*float64(len(s)-1))]
}
