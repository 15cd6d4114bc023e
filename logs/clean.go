package logs

import (
	"io"
	"unicode/utf8"
)

// cleaner spells out what slog's handlers let through: they escape line breaks and ESC, but not DEL, and JSON neither the other control
// characters (U+0080 to U+009F, of which U+009B begins an escape sequence) nor the marks that turn the direction of writing. Both handlers
// write nothing but printable characters outside of texts, so what is found here is within one, where \u009b means the same in both.
type cleaner struct{ w io.Writer }

// Write takes one line.
func (c cleaner) Write(line []byte) (int, error) {
	if !dirty(line) {
		return c.w.Write(line)
	}
	clean := make([]byte, 0, len(line)+16)
	for rest := line; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case hidden(r):
			clean = appendEscaped(clean, r)
		case r == utf8.RuneError && n == 1:
			clean = append(clean, "\uFFFD"...)
		default:
			clean = append(clean, rest[:n]...)
		}
		rest = rest[n:]
	}
	if _, err := c.w.Write(clean); err != nil {
		return 0, err
	}
	return len(line), nil
}

func dirty(line []byte) bool {
	for i := 0; i < len(line); {
		if line[i] < utf8.RuneSelf && line[i] != 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(line[i:])
		if hidden(r) || r == utf8.RuneError {
			return true
		}
		i += n
	}
	return false
}

// hidden are the characters that do something instead of being seen, but for the end of a line.
func hidden(r rune) bool {
	switch {
	case r == '\n':
		return false
	case r < ' ', 0x7f <= r && r <= 0x9f:
		return true
	case r == 0x061c, 0x200e <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return true
	}
	return false
}

const hexDigits = "0123456789abcdef"

// appendEscaped writes a character of the first plane as \u009b.
func appendEscaped(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
