package admin

import (
	"io"
	"strings"
	"unicode/utf8"
)

// PlainWriter passes text on with everything spelled out that a terminal would obey instead of showing, but for ends of lines and tabs.
// Close writes what is left of a character that did not come whole; it does not close w. One goroutine at a time.
type PlainWriter struct {
	w    io.Writer
	rest []byte // the beginning of a character
}

// NewPlainWriter makes a PlainWriter that writes to w.
func NewPlainWriter(w io.Writer) *PlainWriter { return &PlainWriter{w: w} }

// Write takes any part of a text; its error is w's.
func (p *PlainWriter) Write(b []byte) (int, error) {
	text := append(p.rest, b...)
	whole := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if start := len(text) - back; utf8.RuneStart(text[start]) {
			if !utf8.FullRune(text[start:]) {
				whole = start
			}
			break
		}
	}
	p.rest = append([]byte(nil), text[whole:]...)
	if err := p.show(string(text[:whole])); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close writes what is left.
func (p *PlainWriter) Close() error {
	rest := string(p.rest)
	p.rest = nil
	return p.show(rest)
}

func (p *PlainWriter) show(text string) error {
	var out strings.Builder
	for text != "" {
		end := strings.IndexAny(text, "\n\t")
		if end < 0 {
			out.WriteString(plain(text))
			break
		}
		out.WriteString(plain(text[:end]))
		out.WriteByte(text[end])
		text = text[end+1:]
	}
	if out.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(p.w, out.String())
	return err
}
