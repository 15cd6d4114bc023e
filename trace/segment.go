package trace

import (
	"fmt"
	"strings"
)

// Segment turns a kind of task into one path segment: whatever is not a letter, digit, dot, underscore or hyphen becomes a hyphen.
func Segment(kind string) (string, error) {
	s := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)) {
			return r
		}
		return '-'
	}, strings.TrimSpace(kind))
	switch {
	case s == "":
		return "", fmt.Errorf("it is empty")
	case len(s) > MaxKindLength:
		return "", fmt.Errorf("it is longer than %d characters", MaxKindLength)
	case s == "." || s == "..":
		return "", fmt.Errorf("%q means a folder in a path", s)
	}
	return s, nil
}
