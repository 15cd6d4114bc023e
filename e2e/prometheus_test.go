package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"understudy/driver/drivertest"
)

// prometheus is a running one with the rules of deploy/prometheus.
type prometheus struct {
	t   *testing.T
	url string
}

// startPrometheus runs the configuration as shipped but for the address it scrapes, and once a second. It ends with the test.
func startPrometheus(t *testing.T, admin string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		if os.Getenv("UNDERSTUDY_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip("prometheus is not installed: apt-get install prometheus")
	}
	dir := t.TempDir()
	for _, name := range []string{"prometheus.yml", "rules.yml", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join("../deploy/prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		here := strings.NewReplacer("127.0.0.1:8081", strings.TrimPrefix(admin, "http://"), "_interval: 15s", "_interval: 1s").Replace(string(text))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := fmt.Sprintf("127.0.0.1:%d", drivertest.FreePort(t))
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	printed := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = printed, printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
		if t.Failed() {
			t.Logf("Prometheus printed:\n%s", printed)
		}
	})
	p := &prometheus{t: t, url: "http://" + address}
	await(t, "Prometheus is ready", func() bool {
		select {
		case <-exited:
			t.Fatalf("Prometheus ended:\n%s", printed)
		default:
		}
		resp, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

// ask yields the value of the first series in the answer that is a number, empty when there is none. A query that is not valid ends the test.
func (p *prometheus) ask(query string) string {
	p.t.Helper()
	var data struct {
		Result []struct{ Value [2]any }
	}
	p.get("/api/v1/query?query="+url.QueryEscape(query), &data)
	for _, series := range data.Result {
		if value := fmt.Sprint(series.Value[1]); value != "NaN" {
			return value
		}
	}
	return ""
}

type promRule struct{ Name, Type, Health, LastError string }

func (p *prometheus) rules() []promRule {
	p.t.Helper()
	var data struct {
		Groups []struct{ Rules []promRule }
	}
	p.get("/api/v1/rules", &data)
	var all []promRule
	for _, g := range data.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// records are the names that the rules give to what they compute.
func (p *prometheus) records(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, r := range p.rules() {
		if r.Type == "recording" {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		t.Error("no rule records anything")
	}
	return names
}

// rulesAreWell reports false while one has not been evaluated yet.
func (p *prometheus) rulesAreWell(t *testing.T) bool {
	t.Helper()
	rules := p.rules()
	for _, r := range rules {
		if r.Health == "err" {
			t.Fatalf("rule %s: %s", r.Name, r.LastError)
		}
		if r.Health != "ok" {
			return false
		}
	}
	return len(rules) > 0
}

func (p *prometheus) get(path string, data any) {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	if answer.Status != "success" {
		p.t.Fatalf("%s: %s", path, answer.Error)
	}
}
