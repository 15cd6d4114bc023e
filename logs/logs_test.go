package logs

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hostile is what somebody sends who wants to forge lines or steer the terminal of whoever reads them.
const hostile = "a\r\nINFO forged\x1b[31m\x00\x7f\u009b2J\u202e\u2028\xff\xc2\t\"\\b"

// harmless fails unless text is one line that a terminal shows as it stands.
func harmless(t *testing.T, text string) {
	t.Helper()
	line, ok := strings.CutSuffix(text, "\n")
	if !ok || line == "" {
		t.Fatalf("no line: %q", text)
	}
	for i, r := range line {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar && line[i] != 0xef {
			t.Errorf("%q at %d of %q", r, i, line)
		}
	}
}

func TestWhatOthersSaidCannotEndALineOrSteerATerminal(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		log := New(&out, asJSON, slog.LevelInfo)
		log.Info(hostile, slog.String("path", hostile), slog.String(hostile, "key"), slog.Any("error", forged{}), slog.Any("list", []string{hostile}))
		harmless(t, out.String())
		if !strings.Contains(out.String(), "INFO forged") {
			t.Errorf("what was said is lost: %s", &out)
		}
		out.Reset()
		log.Info("x", slog.String("only", "DEL\x7f"))
		harmless(t, out.String())
		out.Reset()
		log.Info("x", slog.String("only", "żółw 語"))
		if !strings.Contains(out.String(), "żółw 語") {
			t.Errorf("changed: %s", &out)
		}
		log.Debug("below the level")
		if strings.Contains(out.String(), "below") {
			t.Error("logged below the level")
		}
	}
}

func TestAHostileLineIsStillJSON(t *testing.T) {
	var out bytes.Buffer
	New(&out, true, slog.LevelInfo).Info("x", slog.String("path", hostile))
	var m struct{ Path string }
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(strings.ReplaceAll(hostile, "\xff\xc2", "\uFFFD\uFFFD"), ""); m.Path != want {
		t.Errorf("got %q, want %q", m.Path, want)
	}
}

func TestDurationsHaveAUnit(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		New(&out, asJSON, slog.LevelInfo).Info("x", slog.Duration("took", 1500*time.Millisecond))
		if !strings.Contains(out.String(), "1.5s") {
			t.Errorf("got %s", &out)
		}
	}
}

type forged struct{}

func (forged) Error() string { return hostile }

func TestLevels(t *testing.T) {
	for name, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		if got, err := Level(name); err != nil || got != want {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	if _, err := Level("loud"); err == nil || !strings.Contains(err.Error(), "loud") {
		t.Errorf("loud: %v", err)
	}
}
