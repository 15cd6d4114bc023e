package balancer

import (
	"net/http"
	"testing"
)

// Fronts differ in what they look at before us, so what is no target is told apart here.
func TestTargets(t *testing.T) {
	tests := []struct {
		raw, segment, sent, stripped string // segment "-": it is refused
	}{
		{"/mult", "mult", "/b/mult", "/b/"},
		{"/mult/a%2Fb?x=1", "mult", "/b/mult/a%2Fb?x=1", "/b/a%2Fb?x=1"},
		{"/m%75lt?", "mult", "/b/m%75lt?", "/b/?"},
		{"//x", "", "/b//x", "/b/x"},
		{"/", "", "/b/", "/b/"},
		{"http://h/mult/x", "mult", "/b/mult/x", "/b/x"},
		{"HTTPS://h?q", "", "/b/?q", "/b/?q"},
		{"ftp://h/a", "-", "", ""},
		{"mult", "-", "", ""},
		{"*", "-", "", ""},
		{"h:80", "-", "", ""},
		{"mult/http://h/", "-", "", ""},
		{"://h/a", "-", "", ""},
		{"1x://h/a", "-", "", ""},
		{"/a#b", "-", "", ""},
		{"/a b", "-", "", ""},
		{"/a\tb", "-", "", ""},
		{"/a\r\nX: y", "-", "", ""},
		{"/a\x7f", "-", "", ""},
		{"/a\x00", "-", "", ""},
		{"/%zz/a", "-", "", ""},
	}
	for _, tt := range tests {
		got, ok := targetOf(&http.Request{RequestURI: tt.raw})
		if !ok {
			if tt.segment != "-" {
				t.Errorf("%q is refused", tt.raw)
			}
			continue
		}
		sent, stripped := string(got.append(nil, "/b", false)), string(got.append(nil, "/b", true))
		if got.segment != tt.segment || sent != tt.sent || stripped != tt.stripped {
			t.Errorf("%q: segment %q, sent as %q, stripped as %q", tt.raw, got.segment, sent, stripped)
		}
	}
}

func TestHostsThatAreNone(t *testing.T) {
	for host, bad := range map[string]bool{
		"h": false, "shop.example:81": false, "[::1]:80": false, "xn--a-b.c": false, "": false,
		"a,b": true, "a;b": true, "a b": true, "a@b": true, "a/b": true, `a\b`: true, "a#b": true, "a?b": true, "a\r\nb": true, "a\x00": true, "a\x7f": true, "(a)": true, "a|b": true,
	} {
		if badHost(host) != bad {
			t.Errorf("%q: %v", host, !bad)
		}
	}
}
