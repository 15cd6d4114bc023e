package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/admin"
	"understudy/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs one command in this process.
func run(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	shipped, err := os.ReadFile("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code = session{
		Build: Build{Version: "v1.2.3", Config: shipped}, args: args, env: env, out: &out, err: &errOut, ctx: t.Context(),
		stopBy: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}.run()
	return code, out.String(), errOut.String()
}

// runUntil runs one command in this process and interrupts it, as Ctrl-C would, once interrupt is closed.
func runUntil(t *testing.T, interrupt <-chan struct{}, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = session{
		args: args, out: &out, err: &errOut, ctx: t.Context(),
		stopBy: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			select {
			case <-interrupt: // before anything else happens
				cancel()
			default:
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				select {
				case <-interrupt:
					cancel()
				case <-ctx.Done():
				}
			}()
			return ctx, func() { cancel(); <-ended }
		},
	}.run()
	return code, out.String(), errOut.String()
}

// worker1 is a reference worker on a test server: it answers as a balancer's data plane would.
func worker1(t *testing.T) string {
	t.Helper()
	w, err := worker.New(worker.Options{ID: "w1", Duration: &worker.Range{}, Concurrency: 100})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return server.URL
}

func TestCommandLinesThatMakeNoSenseEndWithTwoAndSayWhereHelpIs(t *testing.T) {
	for _, c := range []struct {
		args string
		say  string
	}{
		{"balncer", `did you mean "balancer"?`},
		{"status extra", "does not take"},
		{"client --rat 5", "understudy client --help"},
		{"client -n many", "understudy client --help"},
		{"client -n 0", "--requests is 0"},
		{"client --rate 0", "--rate is 0"},
		{"client --rate 5 -c 3", "concurrency"},
		{"client --rate 5 --trace x.csv", "--rate and --trace exclude each other"},
		{"status --json --watch", "--json and --watch exclude each other"},
		{"client --shape zigzag --rate 3", "zigzag"},
		{"client --mix mult=x", "mult=x"},
		{"client --assert p95<fast", "p95<fast"},
		{"client --format xml", "text, json, csv or html"},
		{"client --header nonsense", "Name: value"},
		{"client --body /nonexistent/file", "/nonexistent/file"},
		{"client --target nowhere", "target"},
		{"client --duration 5", "understudy client --help"},
		{"worker --listen nowhere", "HOST:PORT"},
		{"worker --duration long", "understudy worker --help"},
		{"explain -n 0", "1 to 1000"},
		{"logs", "one pool"},
		{"status --admin http://", "it must be HOST:PORT or http://HOST:PORT"},
		{"explain --admin :8081", "it must be HOST:PORT"},
		{"logs general --admin ftp://x", "it must be HOST:PORT"},
		{"client quit --admin 127.0.0.1:99999", "it must be HOST:PORT"},
		{"demo --duration 1ms", "at least 1s"},
		{"balancer --driver podman", "podman"},
		{"balancer --log-level loud", "loud"},
		{"balancer --log-format xml", "xml"},
		{"balancer --log-access apache", "off, combined, json"},
		{"config check --config /nonexistent.yaml", "/nonexistent.yaml"},
	} {
		code, out, stderr := run(t, nil, strings.Fields(c.args)...)
		if code != exitUsage || out != "" || !strings.Contains(stderr, c.say) {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q (want %q in it)", c.args, code, out, stderr, c.say)
		}
	}
}

func TestAWrongTraceVariableIsOneSentence(t *testing.T) {
	code, out, stderr := run(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=nowhere"}, "balancer", "--driver", "process", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if code != exitUsage || out != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, `OTEL_EXPORTER_OTLP_ENDPOINT is "nowhere"`) {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	for _, c := range (session{ctx: t.Context()}).root().Commands() {
		if c.Hidden {
			continue
		}
		code, out, _ := run(t, nil, c.Name(), "--help")
		if code != exitOK || !strings.Contains(out, "Examples:\n") {
			t.Errorf("%s --help: exit code %d, no example in\n%s", c.Name(), code, out)
		}
	}
}

func TestVersionGoesToStandardOutput(t *testing.T) {
	code, out, stderr := run(t, nil, "version")
	if code != 0 || !strings.HasPrefix(out, "understudy v1.2.3 go") || stderr != "" {
		t.Errorf("%d %q %q", code, out, stderr)
	}
}

func TestTheConfigurationIsCheckedAndPrintedAsItIsInForce(t *testing.T) {
	if code, out, stderr := run(t, nil, "config", "check"); code != 0 || !strings.Contains(out, "fine") {
		t.Errorf("check: %d %q %q", code, out, stderr)
	}
	code, out, _ := run(t, []string{"UNDERSTUDY_INSTANCE=blue"}, "config", "print")
	if code != 0 || !strings.Contains(out, "instance: blue") {
		t.Errorf("print: %d\n%s", code, out)
	}
	path := filepath.Join(t.TempDir(), "printed.yaml")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run(t, nil, "config", "check", "--config", path); code != 0 {
		t.Errorf("what was printed is not legal: %s", stderr)
	}
}

func TestAnEmptyNameOfAConfigurationIsNotTakenForNone(t *testing.T) {
	for _, args := range [][]string{{"balancer", "--config="}, {"config", "check", "--config", ""}, {"cleanup", "--config", ""}, {"simulate", "--config", ""}} {
		if code, out, stderr := run(t, nil, args...); code != 2 || out != "" || !strings.Contains(stderr, "--config is empty") {
			t.Errorf("%q: %d %q %q", args, code, out, stderr)
		}
	}
}

func TestTheClientNeedsNoFlagButTheTarget(t *testing.T) {
	code, out, stderr := run(t, nil, "client", "--target", worker1(t), "-n", "20", "--quiet")
	if code != 0 || !strings.Contains(out, "20 requests") || stderr != "" {
		t.Errorf("%d\n%s%s", code, out, stderr)
	}
}

func TestTheClientSaysWhichAssertionFailedAndEndsWithThree(t *testing.T) {
	url := worker1(t)
	args := []string{"client", "--target", url, "-n", "10", "--mix", "mult=1,add=1", "--quiet", "--assert"}
	if code, _, stderr := run(t, nil, append(args, "errors=0,count=10")...); code != 0 {
		t.Errorf("assertions that hold: %d %s", code, stderr)
	}
	code, out, stderr := run(t, nil, append(args, "errors=0,count=11")...)
	if code != exitAssertion || !strings.Contains(stderr, "count=11: count was 10") || !strings.Contains(out, "10 requests") {
		t.Errorf("%d %q\n%s", code, stderr, out)
	}
}

func TestTheReportGoesWhereItIsWantedInTheFormatWanted(t *testing.T) {
	url := worker1(t)
	path := filepath.Join(t.TempDir(), "report.json")
	if code, out, stderr := run(t, nil, "client", "--target", url, "-n", "5", "--quiet", "--format", "json", "-o", path); code != 0 || out != "" {
		t.Fatalf("%d %q %q", code, out, stderr)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Count   int
		Latency map[string]float64 `json:"latency_ms"`
	}
	if err := json.Unmarshal(raw, &report); err != nil || report.Count != 5 || report.Latency["p95"] <= 0 {
		t.Errorf("%v in %s", err, raw)
	}
	code, out, _ := run(t, nil, "client", "--target", url, "-n", "5", "--quiet", "--format", "csv")
	if code != 0 || strings.Count(out, "\n") < 2 {
		t.Errorf("csv: %d\n%s", code, out)
	}
}

func TestVerbosePrintsEveryAnswer(t *testing.T) {
	code, _, stderr := run(t, nil, "client", "--target", worker1(t), "-n", "3", "--verbose")
	if code != 0 || strings.Count(stderr, "mult") < 3 {
		t.Errorf("%d\n%s", code, stderr)
	}
}

func TestAnAddressWhereNobodyIsIsOneSentence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, args := range [][]string{
		{"client", "--target", "http://" + address, "-n", "1"},
		{"client", "quit", "--admin", address},
		{"status", "--admin", address},
		{"status", "--watch", "--admin", address},
		{"explain", "--admin", address},
		{"logs", "general", "--admin", address},
	} {
		code, out, stderr := run(t, nil, args...)
		if code != exitFailed || out != "" || !strings.Contains(stderr, address) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: %d %q %q", args, code, out, stderr)
		}
	}
}

// plane is an admin plane that answers what it is told.
func plane(t *testing.T, answers map[string]any) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if text, ok := answer.(string); ok {
			w.Write([]byte(text))
			return
		}
		json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestStatusExplainAndLogsShowWhatTheBalancerSays(t *testing.T) {
	url := plane(t, map[string]any{
		"/api/v1/status":    admin.Status{Instance: "blue", Pools: []admin.Pool{{Name: "general", TargetMS: 300, Workers: []admin.Worker{{ID: "w1", State: "spare"}}}}},
		"/api/v1/decisions": admin.Decisions{Total: 1, Decisions: []admin.Decision{{Number: 1, At: time.Unix(0, 0), Pool: "general", From: 1, To: 2, Reason: "model: because"}}},
		"/api/v1/logs":      "w1 | hello \x1b[2J\u202e\n",
	})
	env := []string{"UNDERSTUDY_ADMIN_TOKEN=secret"}
	for args, want := range map[string]string{
		"status":            "w1",
		"status --json":     `"instance": "blue"`,
		"explain":           "model: because",
		"explain --json":    `"reason": "model: because"`,
		"logs general":      `w1 | hello \x1b[2J\u202e`,
		"explain -n 1":      "general",
		"status --token no": "",
	} {
		code, out, stderr := run(t, env, append(strings.Fields(args), "--admin", url)...)
		if want == "" {
			if code != exitFailed || !strings.Contains(stderr, "token") {
				t.Errorf("%s: %d %q", args, code, stderr)
			}
			continue
		}
		if code != 0 || !strings.Contains(out, want) || strings.Contains(out, "\x1b[") {
			t.Errorf("%s: exit code %d, want %q without colours in\n%s%s", args, code, want, out, stderr)
		}
	}
}

func TestRawLogsAreAsTheWorkersPrintThem(t *testing.T) {
	const printed = "w1 | hello \x1b[2J\u202e\xff\r\n"
	url := plane(t, map[string]any{"/api/v1/logs": printed})
	code, out, stderr := run(t, []string{"UNDERSTUDY_ADMIN_TOKEN=secret"}, "logs", "general", "--raw", "--admin", url)
	if code != 0 || out != printed {
		t.Errorf("%d %q %q", code, out, stderr)
	}
}

func TestCleanupHasNothingToDoForProcesses(t *testing.T) {
	code, out, stderr := run(t, nil, "cleanup", "--driver", "process")
	if code != 0 || out != "" || !strings.Contains(stderr, "leaves nothing behind") {
		t.Errorf("%d %q %q", code, out, stderr)
	}
}
