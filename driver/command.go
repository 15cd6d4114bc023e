package driver

import (
	"regexp"
	"strconv"
	"strings"
)

// portWord matches $PORT and ${PORT}, and leaves $PORTAL alone.
var portWord = regexp.MustCompile(`\$\{PORT\}|\$PORT\b`)

// ExpandPort returns command with $PORT and ${PORT} replaced by port. Nothing else is expanded: there is no shell.
func ExpandPort(command []string, port int) []string {
	out := make([]string, len(command))
	for i, word := range command {
		out[i] = portWord.ReplaceAllLiteralString(word, strconv.Itoa(port))
	}
	return out
}

// WithEnv returns env with each KEY of set given that value: what env said about it before is dropped, since programs
// disagree on which of two equal keys counts.
func WithEnv(env []string, set ...string) []string {
	out := make([]string, 0, len(env)+len(set))
	for _, kv := range env {
		if !overridden(kv, set) {
			out = append(out, kv)
		}
	}
	return append(out, set...)
}

func overridden(kv string, set []string) bool {
	key, _, _ := strings.Cut(kv, "=")
	for _, s := range set {
		if k, _, _ := strings.Cut(s, "="); k == key {
			return true
		}
	}
	return false
}
