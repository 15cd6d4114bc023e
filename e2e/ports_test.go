package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"understudy/driver/drivertest"
)

func TestD30RealAPoolWithoutAFreePortServesWithWhatItHas(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	const pools = "pools:\n  - {name: general, workers: {min: 3, max: 3, spare: 0}}\n"
	p := prepare(t, instanceOf(t), pools)
	from := drivertest.FreePorts(t, 3)
	held, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", from)) // as many ports as workers is what a configuration must have
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	p.head = regexp.MustCompile(`ports: .*`).ReplaceAllString(p.head, fmt.Sprintf("ports: {from: %d, to: %d}", from, from+2))
	p.rewrite(pools)
	p.cmd = exec.Command(binary, "balancer", "--config", p.config, "--driver", "docker")
	p.run()
	await(t, "two of three workers are there", func() bool { return len(p.workers("general", "active")) == 2 })
	await(t, "the status says why it is not three", func() bool { return strings.Contains(p.status().Pools[0].LastError, "no free port") })
	for range 10 {
		if resp, body := p.post("/mult", `{"a":6,"b":7}`); resp.StatusCode != http.StatusOK {
			t.Errorf("a task got %s %s", resp.Status, body)
		}
	}
	if n := len(containers(t, p.instance)); n != 2 {
		t.Errorf("there are %d containers", n)
	}
}
