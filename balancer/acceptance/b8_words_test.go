package acceptance

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestB8: no word of a client gets where it could do something.
func TestB8(t *testing.T) {
	accept(t, b8Capabilities(), b8Hostile())
}

func b8Capabilities() []row {
	var rows []row
	for _, word := range []string{"../../x", "a b", strings.Repeat("x", 10<<10), "--privileged", "$(id)", "`id`", "a;b", "a\nb", "\x1b[31m", "'; drop", "%s%n", "\u202egpj"} {
		name := fmt.Sprintf("64 capability %.20q", word)
		rows = append(rows, row{name: name, run: func(x *trial) {
			a := x.ask(get("/"+url.PathEscape(word), ""))
			x.refusal(a, 400, 404)
			harmless(x, a)
			if n := len(x.fleet.Workers()); n != 1 || len(x.books.names) > 0 {
				x.Errorf("%d workers, %v", n, x.books.names)
			}
		}})
	}
	return rows
}

// hostile are bytes that mean something to a terminal, a page, a log or a shell. They are marked, so that an echo is found.
func hostile() []string {
	return []string{
		"<script>alert(1)</script>", "\"onload=alert(1) x=\"", "'; drop table x; --", "</title><svg/onload=a>", "\x1b]0;title\x07", "\x1b[2J", "\u202eevil", "\u2028evil", "&#x3c;b&#x3e;",
		"%0d%0aSet-Cookie:%20evil=1", "\xff\xfeevil", "{{evil}}", "${jndi:ldap://evil}", "\u0000evil", "a\tb", "[evil](javascript:x)",
	}
}

// b8Hostile: wherever such bytes are put, an error of the balancer does not contain them unescaped, in fields or in body, and the log is one
// line for each request.
func b8Hostile() []row {
	places := []struct {
		name string
		put  func(word string) string
	}{
		{"the path", func(w string) string { return get("/"+w, "") }},
		{"the path, escaped", func(w string) string { return get("/"+url.PathEscape(w), "") }},
		{"the query", func(w string) string { return get("/nobody?"+w, "") }},
		{"the method", func(w string) string { return w + " /nobody HTTP/1.1\r\nHost: h\r\n\r\n" }},
		{"Host", func(w string) string { return "GET /nobody HTTP/1.1\r\nHost: " + w + "\r\n\r\n" }},
		{"a field", func(w string) string { return get("/nobody", "X-A: "+w+"\r\n") }},
		{"a field's name", func(w string) string { return get("/nobody", w+": x\r\n") }},
		{"the request id", func(w string) string { return get("/nobody", "X-Request-Id: "+w+"\r\n") }},
		{"Expect", func(w string) string { return get("/nobody", "Expect: "+w+"\r\n") }},
		{"Transfer-Encoding", func(w string) string { return post("/nobody", "Transfer-Encoding: "+w+"\r\n", "") }},
		{"Content-Length", func(w string) string { return post("/nobody", "Content-Length: "+w+"\r\n", "") }},
		{"the version", func(w string) string { return "GET /nobody HTTP/" + w + "\r\nHost: h\r\n\r\n" }},
		{"a chunk's size", func(w string) string { return chunked(w + "\r\n") }},
		{"Upgrade", func(w string) string { return get("/nobody", "Connection: Upgrade\r\nUpgrade: "+w+"\r\n") }},
	}
	var rows []row
	for _, place := range places {
		rows = append(rows, row{name: "64 hostile bytes in " + place.name, run: func(x *trial) {
			x.maySee("POST /mult", len(hostile()))
			for _, word := range hostile() {
				send := place.put(word)
				c := x.dial().send(send)
				a := c.answer("GET")
				if a.status < 400 || a.status >= 500 && a.status != 501 && a.status != 505 {
					x.Errorf("%q: status %d", word, a.status)
				}
				x.refusal(a, a.status)
				harmless(x, a)
				c.close()
			}
			x.await("the slot is free", x.idle)
			x.logIsHarmless()
		}})
	}
	return rows
}

// harmless asserts that nothing of a request is in an answer as it was.
func harmless(x *trial, a *reply) {
	if i := bytes.IndexFunc(a.body, dangerous); i >= 0 {
		x.Errorf("the body has %q", a.body[max(0, i-20):min(len(a.body), i+20)])
	}
	for _, f := range a.fields {
		if strings.ContainsFunc(f.value, dangerous) || strings.Contains(f.value, "evil") || strings.EqualFold(f.name, "Set-Cookie") {
			x.Errorf("the field %s: %q", f.name, f.value)
		}
	}
	if bytes.Contains(a.body, []byte("evil")) {
		x.Errorf("the request is in the answer: %q", a.body)
	}
}

// dangerous are bytes that are never in an error: JSON has them escaped.
func dangerous(r rune) bool {
	return r < ' ' && r != '\n' || r == 0x7f || strings.ContainsRune("<>&\u2028\u2029\u202e\ufffd", r)
}

// logIsHarmless asserts that the log has no control bytes, and one request a line.
func (x *trial) logIsHarmless() {
	for line := range strings.Lines(x.log.String()) {
		if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e || r == 0x2028 }) {
			x.Errorf("the log has %q", line)
		}
		if !strings.HasPrefix(line, "time=") {
			x.Errorf("the log has a line of somebody else: %q", line)
		}
	}
}
