package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// launchWithOutput runs a balancer with a standard output of its own.
func launchWithOutput(t *testing.T, out io.Writer, flags ...string) *process {
	t.Helper()
	p := prepare(t, instanceOf(t), onePool)
	p.cmd = exec.Command(binary, append([]string{"balancer", "--config", p.config, "--driver", "process"}, flags...)...)
	p.cmd.Stdout = out
	p.run()
	p.awaitReady()
	return p
}

func TestAnAccessLogThatNobodyReadsStopsNobody(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	p := launchWithOutput(t, w, "--log-access", "combined")
	mult := func() int {
		resp, err := http.Post(p.url+"/mult", "application/json", strings.NewReader(`{"a":6,"b":7}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	await(t, "the loss is noticed", func() bool { mult(); return strings.Contains(p.output.String(), "broken pipe") })
	if got := mult(); got != http.StatusOK {
		t.Errorf("got %d", got)
	}
	if n := strings.Count(p.output.String(), "cannot be written"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestEachRequestIsALineOnStandardOutputAndTheLogGoesToStandardError(t *testing.T) {
	var out lockedBuffer
	p := launchWithOutput(t, &out, "--log-access", "json", "--log-format", "text")
	resp, err := http.Get(p.url + "/nobody-has-this")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.end()
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"target":"/nobody-has-this"`) || !strings.Contains(got, `"status":404`) {
		t.Errorf("standard output: %q", got)
	}
	mustSay(t, p.output.String(), "level=INFO msg=scale pool=general")
}
