package h1

import (
	"slices"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	f := Fields{{"A", "1"}, {"b", "x, Close ,\ty"}, {"a", "2"}, {"C", ""}}
	if v, ok := f.Get("a"); v != "1" || !ok {
		t.Errorf("the first a is %q, %v", v, ok)
	}
	if v, ok := f.Get("c"); v != "" || !ok || !f.Has("c") || f.Has("d") {
		t.Errorf("an empty field is there: %q, %v", v, ok)
	}
	if got := slices.Collect(f.Values("A")); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("%q", got)
	}
	for v := range f.Values("A") {
		if v != "1" {
			t.Error("a loop that was left goes on")
		}
		break
	}
	for token, want := range map[string]bool{"x": true, "close": true, "Y": true, "lose": false, "x, close": false, "": false} {
		if f.HasToken("B", token) != want {
			t.Errorf("token %q: %v", token, !want)
		}
	}
}

// TestLetterCase: only ASCII has any. U+212A folds to k in Unicode, and must not make another field of ours.
func TestLetterCase(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"Content-Length", "content-lENGTH", true}, {"a", "b", false}, {"a", "aa", false}, {"[", "{", false}, {"@", "`", false}, {"\u212a", "k", false}, {"É", "é", false}, {"", "", true}} {
		if EqualFold(c.a, c.b) != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, !c.want)
		}
	}
}

func TestTokensAndValuesByteForByte(t *testing.T) {
	const tchar = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" // RFC 9110, 5.6.2
	for c := range 256 {
		s := string([]byte{byte(c)})
		if want := strings.IndexByte(tchar, byte(c)) >= 0; IsToken(s) != want || IsToken("a"+s) != want || IsToken(s+"a") != want {
			t.Errorf("token %q: %v", s, !want)
		}
		if want := c == '\t' || c >= ' ' && c != 0x7f; IsValue(s) != want || IsValue("a"+s+"b") != want {
			t.Errorf("value %q: %v", s, !want)
		}
	}
	if IsToken("") || !IsValue("") {
		t.Error("a token is not empty, a value may be")
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	b := AppendRequestLine(nil, "PUT", "/a?b=%20", "host:1")
	b = AppendField(b, "A", "b c")
	b = AppendField(b, "D", "")
	if got := string(b); got != "PUT /a?b=%20 HTTP/1.1\r\nHost: host:1\r\nA: b c\r\nD: \r\n" {
		t.Errorf("%q", got)
	}
	_, lines, _ := cutLine(string(b), false)
	f, err := parseFields(lines, nil, false)
	if err != nil || !slices.Equal(f, Fields{{"Host", "host:1"}, {"A", "b c"}, {"D", ""}}) {
		t.Errorf("%q, %v", f, err)
	}
}

// TestWhereLFAloneIsNotAllowed: a request's lines, and the line before the last of a block.
func TestWhereLFAloneIsNotAllowed(t *testing.T) {
	for _, lines := range []string{"A: b\n", "A: b\r\nC: d\n", "A: b\nC: d\r\n", "A: b"} {
		if f, err := parseFields(lines, nil, false); err == nil {
			t.Errorf("%q: %q", lines, f)
		}
	}
}
