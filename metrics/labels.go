package metrics

import (
	"net/http"
	"strconv"
	"unicode/utf8"
)

const (
	other         = "other"
	clientGone    = 499 // the client left before there was an answer; no such status is ever sent
	maxCapability = 64  // capabilities a pool may have, as the configuration bounds it
	maxWords      = 32  // different words one label may take
	maxWordLength = 40
	maxNameLength = 128
)

// statusLabels is the label of every status code that has a name. The rest, which only a worker can make up, is "other".
type statusLabels [600]string

func newStatusLabels() statusLabels {
	var s statusLabels
	for code := range s {
		s[code] = other
		if http.StatusText(code) != "" || code == clientGone {
			s[code] = strconv.Itoa(code)
		}
	}
	return s
}

func (s *statusLabels) of(code int) string {
	if code < 0 || code >= len(s) {
		return other
	}
	return s[code]
}

// vocabulary is the words seen so far for each label. Callers pass words from a short list of their own; should free text ever come
// that way, it is counted and not shown.
type vocabulary map[string]map[string]bool

// word yields s, or "other" when s is no word or the label has too many already.
func (v vocabulary) word(label, s string) string {
	seen := v[label]
	switch {
	case seen[s]:
		return s
	case !isWord(s) || len(seen) >= maxWords:
		return other
	case seen == nil:
		v[label] = map[string]bool{s: true}
	default:
		seen[s] = true
	}
	return s
}

func isWord(s string) bool {
	if s == "" || len(s) > maxWordLength {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// valid yields s, or "other" when the registry would panic over it or nobody could read it.
func valid(s string) string {
	if s == "" || len(s) > maxNameLength || !utf8.ValidString(s) {
		return other
	}
	return s
}
