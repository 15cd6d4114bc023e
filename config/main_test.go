package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// load loads a text that must be right.
func load(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := Load(Source{Default: []byte(text)})
	if err != nil {
		t.Fatalf("unexpected problems:\n%v", err)
	}
	return cfg
}

// problemsOf lists what is wrong with a text, one line for each, without the name of the file.
func problemsOf(t *testing.T, text string) []string {
	t.Helper()
	_, err := Load(Source{Default: []byte(text)})
	return linesOf(t, err)
}

func linesOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("the error is a %T, want Problems: %v", err, err)
	}
	var lines []string
	for _, p := range ps {
		lines = append(lines, strings.TrimPrefix(p.String(), "the built-in config.yaml:"))
	}
	return lines
}

// write puts a text into a file of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
