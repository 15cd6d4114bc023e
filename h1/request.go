package h1

import (
	"bytes"
	"net/http"
	"strings"
)

// requestHead is what a client asks for.
type requestHead struct {
	method, target, host string
	minor                int
	fields               Fields
	framing
	expects bool   // 100-continue
	trailer string // names of the fields announced for behind the body
}

// refusal is a request that is answered without asking the handler. The connection closes behind it.
type refusal struct {
	status int
	detail string
}

func (r *refusal) Error() string { return r.detail }

// parse reads a head with the empty line behind it. Errors are *refusal, or wrap those of this package.
func (q *requestHead) parse(text string) error {
	line, rest, err := cutLine(text, false)
	if err != nil {
		return err
	}
	*q = requestHead{fields: q.fields[:0]}
	if err := q.requestLine(line); err != nil {
		return err
	}
	if !strings.HasSuffix(rest, "\r\n") {
		return malformed("a head that ends with LF alone")
	}
	if q.fields, err = parseFields(rest[:len(rest)-2], q.fields, false); err != nil {
		return err
	}
	if q.framing, err = frame(q.fields, q.minor); err != nil {
		return err
	}
	return q.inspect()
}

// firstLine looks at the first line of a head that is not complete yet: what cannot become a request need not be waited for.
func (q *requestHead) firstLine(b []byte) error {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return nil
	}
	line, _, err := cutLine(string(b[:i+1]), false)
	if err != nil {
		return err
	}
	return q.requestLine(line)
}

// requestLine reads method SP target SP HTTP/1.x, with exactly these spaces.
func (q *requestHead) requestLine(line string) error {
	method, rest, ok := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || !IsToken(method) || !isTarget(target) {
		return malformed("a request line that is none")
	}
	if len(version) != len("HTTP/1.1") || !strings.HasPrefix(version, "HTTP/") || version[6] != '.' || !digit(version[5]) || !digit(version[7]) {
		return malformed("a version that is none")
	}
	if version[5] != '1' || version[7] > '1' {
		return ErrVersion
	}
	q.method, q.target, q.minor = method, target, int(version[7]-'0')
	return nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// isTarget leaves bytes above ASCII in: programs send them, and they mean the same to everybody.
func isTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

// inspect reads the fields that say how to take the request.
func (q *requestHead) inspect() error {
	hosts := 0
	for i := range q.fields {
		switch f := &q.fields[i]; {
		case equalFold(f.Name, "Host"):
			hosts++
			q.host = f.Value
		case equalFold(f.Name, "Expect"):
			if !equalFold(f.Value, "100-continue") {
				return &refusal{http.StatusExpectationFailed, "Nothing but 100-continue can be expected."}
			}
			q.expects = q.minor == 1
		case equalFold(f.Name, "Trailer"):
			if err := q.announce(f.Value); err != nil {
				return err
			}
		}
	}
	if hosts > 1 || hosts == 0 && q.minor == 1 {
		return malformed("not exactly one Host field")
	}
	if authority, ok := authorityOf(q.target); ok {
		q.host = authority // RFC 9112, section 3.2.2: it goes before the Host field
	}
	return nil
}

// announce notes the names of a trailer. Fields that delimit the message or name its destination cannot come behind it.
func (q *requestHead) announce(names string) error {
	for name := range strings.SplitSeq(names, ",") {
		name = trimSpace(name)
		if equalFold(name, "Content-Length") || equalFold(name, "Transfer-Encoding") || equalFold(name, "Trailer") || equalFold(name, "Host") {
			return malformed("a trailer with a field that cannot be in one")
		}
		if IsToken(name) {
			q.trailer += name + ","
		}
	}
	return nil
}

// authorityOf is the host of a target in absolute form, http://host/path.
func authorityOf(target string) (string, bool) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return "", false
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[:i]
	}
	return rest, true
}
