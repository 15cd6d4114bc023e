package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A configuration with a mistake is found by the new process, and the old one goes on.
func TestABalancerThatCannotBeReplacedGoesOn(t *testing.T) {
	t.Parallel()
	p := start(t, "pools: [{name: m, capabilities: [echo], members: ['http://127.0.0.1:1'], workers: {min: 0, max: 0, spare: 0}}]", "--driver", "process")
	good := p.head
	p.head = "listen: nonsense\n" + good
	p.rewrite("pools: []")
	if err := syscall.Kill(p.pid(), syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	await(t, "it says why", func() bool { return strings.Contains(p.output.String(), "not handed over, this process goes on") })
	if resp, err := http.Get(p.admin + "/healthz"); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
	p.head = good
	p.rewrite("pools: [{name: m, capabilities: [echo], members: ['http://127.0.0.1:1'], workers: {min: 0, max: 0, spare: 0}}]")
	p.replace()
	p.awaitReady()
}

// replace sends SIGUSR2 and waits until the new process serves.
func (p *process) replace() {
	p.t.Helper()
	said := regexp.MustCompile(`handed over to process (\d+)`)
	before := len(said.FindAllString(p.output.String(), -1))
	if err := syscall.Kill(p.pid(), syscall.SIGUSR2); err != nil {
		p.t.Fatal(err)
	}
	await(p.t, "another process takes over", func() bool { return len(said.FindAllString(p.output.String(), -1)) > before })
	all := said.FindAllStringSubmatch(p.output.String(), -1)
	p.heir, _ = strconv.Atoi(all[len(all)-1][1])
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
