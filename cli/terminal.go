package cli

import (
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// isTerminal tells whether w is a person's screen.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width is how many columns w has; 80 when it is no terminal.
func width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}

// colour tells whether w should get colours: a terminal, and NO_COLOR not set.
func (s session) colour(w io.Writer) bool {
	off := slices.ContainsFunc(s.env, func(kv string) bool { return strings.HasPrefix(kv, "NO_COLOR=") && kv != "NO_COLOR=" })
	return !off && isTerminal(w) && s.getenv("TERM") != "dumb"
}

func (s session) getenv(key string) string { return getenv(s.env, key) }

// getenv finds the last value of a key, which is the one that counts.
func getenv(env []string, key string) string {
	for _, kv := range slices.Backward(env) {
		if name, value, ok := strings.Cut(kv, "="); ok && name == key {
			return value
		}
	}
	return ""
}
