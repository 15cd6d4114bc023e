//go:build long

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// chaosTarget is what there must be at least: the minimum and the spare.
const chaosTarget = 3

// settleTime is for every container to be accounted for: a start of the balancer, and one reconcile.
const settleTime = 40 * time.Second

// settle waits until the instance is well, and checks that nobody else's is worse off.
func (c *chaos) settle(when string) {
	c.t.Helper()
	began, why := time.Now(), ""
	for why = c.unwell(); why != ""; why = c.unwell() {
		if time.Since(began) > settleTime {
			c.t.Fatalf("%s: %v later: %s", when, settleTime, why)
		}
		c.pause(20 * time.Millisecond)
	}
	if strings.HasSuffix(when, "before") {
		return
	}
	c.figures.settled = append(c.figures.settled, time.Since(began).Round(time.Millisecond))
	if s, err := c.status(); err == nil {
		for _, w := range s.Pools[0].Workers {
			if w.Start == "adopted" {
				c.figures.adopted++
			} else {
				c.figures.fresh++
			}
		}
	}
	for id, was := range c.foreign {
		if is := c.look(id); is != was {
			c.t.Errorf("%s: somebody else's %s was %q and is %q", when, id, was, is)
		}
	}
}

// unwell says what is wrong, if anything: a container nobody accounts for, a port with two owners, a count that is not the target's, a guard too many.
func (c *chaos) unwell() string {
	s, err := c.status()
	if err != nil || len(s.Pools) != 1 {
		return fmt.Sprintf("no status: %v", err)
	}
	known, ready := map[string]string{}, 0
	for _, w := range s.Pools[0].Workers {
		known[w.ID] = w.State
		if w.State == "active" || w.State == "spare" {
			ready++
		}
	}
	if target := max(chaosTarget, s.Pools[0].Desired); ready < target || len(known) != ready { // those too many go after a while
		return fmt.Sprintf("%d workers are ready, want %d, of %v", ready, target, known)
	}
	owners := map[string]string{}
	boxes := c.boxes()
	for _, b := range boxes {
		id, port := b.Labels["understudy.worker"], b.Labels["understudy.port"]
		switch {
		case known[id] == "":
			return fmt.Sprintf("container %v, %s, is in nobody's books, which have %v", b.Names, b.State, known)
		case b.State != "running":
			return fmt.Sprintf("container %v is %s", b.Names, b.State)
		case owners[port] != "":
			return fmt.Sprintf("port %s has two owners, %s and %s", port, owners[port], id)
		}
		owners[port] = id
	}
	if len(boxes) != ready {
		return fmt.Sprintf("%d workers and %d containers", ready, len(boxes))
	}
	if s.Ports.Leased != ready {
		return fmt.Sprintf("%d workers, and %d ports leased, %d quarantined", ready, s.Ports.Leased, s.Ports.Quarantined)
	}
	if g := guards(c.p.instance); len(g) != 1 { // of one balancer, whether or not another serves its last clients
		return fmt.Sprintf("%d guards", len(g))
	}
	return ""
}

// startForeign runs a few that look like ours and are not: of an instance whose name begins like ours, with a name like ours, on a network like ours.
func (c *chaos) startForeign() {
	c.t.Helper()
	image := scratchImage(c.t, "stranger", "understudy/e2e/cyclist")
	network := "understudy-" + c.p.instance + "2"
	c.docker("network", "create", "--label", "understudy.instance="+c.p.instance+"2", network)
	c.t.Cleanup(func() { _ = exec.Command("docker", "network", "rm", network).Run() })
	c.foreign[network] = c.look(network)
	for i, labels := range [][]string{
		{"--label", "understudy.instance=" + c.p.instance + "2", "--label", "understudy.pool=general", "--label", "understudy.worker=stranger"},
		{"--label", "understudy=" + c.p.instance},
		{"--label", "Understudy.Instance=" + c.p.instance, "--label", "understudy.pool=general"},
	} {
		name := fmt.Sprintf("understudy-%s-general-stranger%d", c.p.instance, i)
		args := append([]string{"run", "-d", "--name", name, "--network", network, "-e", "PORT=8080"}, labels...)
		id := strings.TrimSpace(c.docker(append(args, image)...))
		c.t.Cleanup(func() { _ = exec.Command("docker", "rm", "-f", id).Run() })
		c.foreign[id] = c.look(id)
		if !strings.Contains(c.foreign[id], "true") {
			c.t.Fatalf("a stranger does not run: %s", c.foreign[id])
		}
	}
}

// look is what must not change of a container, or of a network.
func (c *chaos) look(id string) string {
	var v struct {
		ID, Created, Name string
		RestartCount      int
		State             struct {
			Running, Paused bool
			StartedAt       string
		}
	}
	path := "/containers/" + id + "/json"
	if strings.HasPrefix(id, "understudy-") {
		path = "/networks/" + id
	}
	if err := c.ask(path, nil, &v); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%+v", v)
}

func (c *chaos) docker(args ...string) string {
	c.t.Helper()
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		c.t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// finish ends the last balancer in order and checks that nothing is left.
func (c *chaos) finish() {
	c.t.Helper()
	c.load.Store(0)
	if resp, err := c.p.cmdQuit(); err != nil {
		c.t.Errorf("quit: %v: %s", err, resp)
	}
	await(c.t, "the balancer has ended", func() bool { return len(c.balancers()) == 0 })
	for _, b := range c.boxes() {
		c.t.Errorf("container %v is left", b.Names)
	}
	noNetworks(c.t, c.p.instance)
	proxies := processes(func(args []string) bool { return strings.HasSuffix(args[0], "docker-proxy") && c.ofRange(args) })
	if held := c.heldPorts(); len(held)+len(proxies) > 0 {
		c.t.Errorf("ports %v are held, by docker-proxies %v", held, proxies)
	}
	if left := guards(c.p.instance); len(left) > 0 {
		c.t.Errorf("guards are left: %v", left)
	}
	locks, _ := filepath.Glob("/tmp/understudy-*-" + c.p.instance + ".lock")
	files, _ := os.ReadDir(c.files)
	if len(locks)+len(files) > 0 {
		c.t.Errorf("files are left: %v %v", locks, files)
	}
	for id, was := range c.foreign {
		if is := c.look(id); is != was {
			c.t.Errorf("in the end: somebody else's %s was %q and is %q", id, was, is)
		}
	}
}

func (p *process) cmdQuit() (string, error) {
	out, err := exec.Command(binary, "client", "quit", "--admin", p.admin).CombinedOutput()
	return string(out), err
}

// ofRange tells whether a docker-proxy's arguments name a host port of ours.
func (c *chaos) ofRange(args []string) bool {
	for i, arg := range args {
		if arg == "-host-port" && i+1 < len(args) {
			port, _ := strconv.Atoi(args[i+1])
			return port >= c.p.from && port < c.p.from+chaosPorts
		}
	}
	return false
}
