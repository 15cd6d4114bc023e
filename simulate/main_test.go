package simulate

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// file writes a trace.
func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fromTrace(t testing.TB, text string, pools []config.Pool) Load {
	t.Helper()
	l, err := FromTrace(file(t, text), 0, pools)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func fromWorkload(t testing.TB, name string, length time.Duration) Load {
	t.Helper()
	l, err := FromWorkload(name, length, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func simulated(t testing.TB, o Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// of finds the result of one policy.
func of(t testing.TB, r *Report, name string) Result {
	t.Helper()
	for _, p := range r.Policies {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("%s is not in the report", name)
	return Result{}
}

func kind(name string, change func(*config.Pool), capabilities ...string) config.Pool {
	p := config.DefaultPool()
	p.Name, p.Capabilities = name, capabilities
	if change != nil {
		change(&p)
	}
	return p
}
