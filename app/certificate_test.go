package app

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/config"
	"understudy/config/pairtest"
	"understudy/driver/drivertest"
)

// lines keeps a log for a test to look at.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // gets one when something has been added
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	select {
	case l.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// wait returns once the log has so many lines with the words in them.
func (l *lines) wait(t *testing.T, words string, n int) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		got := strings.Count(l.text.String(), words)
		l.mu.Unlock()
		if got >= n {
			if got > n {
				t.Errorf("%q is in the log %d times, want %d", words, got, n)
			}
			return
		}
		select {
		case <-l.more:
		case <-timeout:
			t.Fatalf("waited in vain for %q in\n%s", words, &l.text)
		}
	}
}

// running starts an App whose configuration is a file, read again when the test says so, and ends it with the test.
func running(t *testing.T, file string) (*App, *lines) {
	t.Helper()
	src := config.Source{File: file}
	cfg, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{more: make(chan struct{}, 1)}
	a, err := New(t.Context(), Options{
		Config: cfg, Source: src, Log: slog.New(slog.NewTextHandler(log, nil)), Driver: drivertest.NewFake(drivertest.FakeOptions{}),
		LockDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a, log
}

// shown is the name in the certificate that clients see now.
func shown(t *testing.T, a *App) string {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(a.URL(), "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestCertificatesAreRenewedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	cert, key := pairtest.Files(t, dir, "first")
	file := filepath.Join(dir, "config.yaml")
	write := func(tls string) {
		text := "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nguard: 0\ntls: " + tls + "\npools: [{name: a, workers: {max: 0}}]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("{cert: " + cert + ", key: " + key + "}")
	a, log := running(t, file)
	if !strings.HasPrefix(a.URL(), "https://127.0.0.1:") || shown(t, a) != "first" {
		t.Fatalf("at %s: %s", a.URL(), shown(t, a))
	}

	pairtest.Files(t, dir, "second") // found by looking at the files
	log.wait(t, "TLS certificate in force", 2)
	if got := shown(t, a); got != "second" {
		t.Errorf("after the files changed: %s", got)
	}
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	log.wait(t, "the new certificate is refused", 1)
	if got := shown(t, a); got != "second" {
		t.Errorf("with a bad key: %s", got)
	}
	write("{cert: " + cert + ", key: " + key + ", min_version: '1.3'}") // the pair is still bad, so all of it is refused
	if a.Reload(t.Context()) {
		t.Error("a configuration with a bad pair is taken")
	}

	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	cert, key = pairtest.Files(t, other, "third")
	write("{cert: " + cert + ", key: " + key + "}")
	if got := shown(t, a); !a.Reload(t.Context()) || got != "second" {
		t.Errorf("before the reload: %s", got)
	}
	if got := shown(t, a); got != "third" {
		t.Errorf("from other files: %s", got)
	}
	write("{}")
	a.Reload(t.Context())
	resp, err := http.Get(a.URL() + "/none")
	if err != nil || !strings.HasPrefix(a.URL(), "http://") || resp.StatusCode != 404 {
		t.Fatalf("without TLS at %s: %v %v", a.URL(), resp, err)
	}
	resp.Body.Close()
}

func TestACertificateThatIsGoneAtTheStartIsAnError(t *testing.T) {
	cfg := config.Defaults()
	cfg.Listen, cfg.Admin, cfg.TLS.Cert, cfg.TLS.Key = "127.0.0.1:0", "127.0.0.1:0", "gone.pem", "gone.pem"
	_, err := New(t.Context(), Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Driver: drivertest.NewFake(drivertest.FakeOptions{}), LockDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), `tls.cert: "gone.pem" cannot be read`) {
		t.Errorf("got %v", err)
	}
}
