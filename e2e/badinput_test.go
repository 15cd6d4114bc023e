package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"understudy/driver/drivertest"
)

const onePool = `
pools:
  - name: general
    capabilities: [mult, add]
    workers: {min: 1, max: 4, spare: 1}
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustSay(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q:\n%s", part, text)
		}
	}
}

func TestABadConfigurationIsRefusedWithEveryProblemAtOnce(t *testing.T) {
	path := writeConfig(t, `
listn: 127.0.0.1:1
ports: {from: 20000, to: 20001}
pools:
  - name: general
    capabilities: [mult]
    workers: {min: 5, max: 4, spare: 1}
    target: {latency: 300}
`)
	code, out, stderr := run(t, nil, "balancer", "--config", path)
	if code != 2 || out != "" {
		t.Errorf("exit code %d, standard output %q", code, out)
	}
	mustSay(t, stderr, "listn", "listen", "min", "300", "target.latency")
}

func TestAPortRangeSmallerThanThePoolsIsRefusedWithBothNumbers(t *testing.T) {
	path := writeConfig(t, "ports: {from: 20000, to: 20002}\npools:\n  - {name: a, capabilities: [mult], workers: {max: 4}}\n")
	code, _, stderr := run(t, nil, "balancer", "--config", path)
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, stderr, "3", "4", "ports")
}

func TestNoEngineIsOneSentenceThatNamesTheAddress(t *testing.T) {
	code, _, stderr := run(t, []string{"DOCKER_HOST=unix:///nonexistent/docker.sock"}, "balancer", "--driver", "docker",
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--instance", instanceOf(t))
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, stderr, "/nonexistent/docker.sock")
	if n := strings.Count(strings.TrimSpace(stderr), "\n"); n > 0 {
		t.Errorf("more than one line:\n%s", stderr)
	}
}

func TestAnEngineThatWasNamedAndDoesNotAnswerIsNoReasonForProcesses(t *testing.T) {
	code, _, stderr := run(t, []string{fmt.Sprintf("DOCKER_HOST=tcp://127.0.0.1:%d", drivertest.FreePort(t))}, "balancer",
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--instance", instanceOf(t))
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, stderr, "127.0.0.1")
}

func TestAnEngineOnAnotherMachineIsRefused(t *testing.T) {
	code, _, stderr := run(t, []string{"DOCKER_HOST=tcp://192.0.2.1:2376"}, "balancer", "--instance", instanceOf(t),
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, stderr, "192.0.2.1")
}

func TestAListenPortThatIsTakenIsOneSentenceWithTheCure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, stderr := run(t, nil, "balancer", "--driver", "process", "--listen", l.Addr().String(), "--admin", "127.0.0.1:0", "--instance", instanceOf(t))
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, stderr, l.Addr().String(), "--listen")
}

func TestASecondBalancerOfAnInstanceIsToldWhoHoldsIt(t *testing.T) {
	p := start(t, onePool, "--driver", "process")
	code, _, stderr := run(t, nil, "balancer", "--driver", "process", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--instance", p.instance)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, stderr, p.instance, fmt.Sprint(p.cmd.Process.Pid), "--instance")
}

func TestAnUnknownCapabilityIs404AndStartsNothing(t *testing.T) {
	p := start(t, onePool, "--driver", "process")
	before := len(p.workers("general"))
	resp, body := p.post("/divide", `{}`)
	if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	mustSay(t, body, "unknown-capability", "mult", "add")
	if after := len(p.workers("general")); after != before && after != 2 {
		t.Errorf("%d workers, before %d", after, before)
	}
}
