package balancer

import (
	"crypto/subtle"
	"strings"

	"understudy/h1"
)

// kind is what the balancer knows about the name of a field.
type kind uint8

const (
	plainField      kind = iota
	connectionField      // Connection itself
	hopField             // concerns one connection only, and is not looked at
	upgradeField
	teField
	trailerField
	expectField
	framingField // Host, Content-Length: written anew for each connection
	lengthField
	keyField
	reservedField // only the balancer may set it
	idField
)

// kindOf looks a name up, whatever its letter case. Expect is answered by the balancer itself; Proxy never came from a well-meaning client.
func kindOf(name string) kind {
	switch len(name) {
	case 2:
		return is(name, "Te", teField)
	case 4:
		return is(name, "Host", framingField)
	case 5:
		return is(name, "Proxy", hopField)
	case 6:
		return is(name, "Expect", expectField)
	case 7:
		return max(is(name, "Upgrade", upgradeField), is(name, "Trailer", trailerField))
	case 9:
		return max(alias(name, "forwarded"), alias(name, "x-real-ip"))
	case 10:
		return max(is(name, "Connection", connectionField), is(name, "Keep-Alive", hopField))
	case 12:
		if h1.EqualFold(name, requestIDHeader) {
			return idField
		}
		return max(alias(name, "x-request-id"), family(name))
	case 14:
		return max(is(name, "Content-Length", lengthField), is(name, "Http2-Settings", hopField), family(name))
	case 15:
		return max(is(name, "Idempotency-Key", keyField), family(name))
	case 16:
		return max(is(name, "Proxy-Connection", hopField), family(name))
	case 17:
		return max(is(name, "Transfer-Encoding", hopField), is(name, "X-Idempotency-Key", keyField), family(name))
	case 18:
		return max(is(name, "Proxy-Authenticate", hopField), family(name))
	case 19:
		return max(is(name, "Proxy-Authorization", hopField), family(name))
	case 25:
		return max(is(name, "Proxy-Authentication-Info", hopField), family(name))
	}
	return family(name)
}

func is(name, want string, k kind) kind {
	if h1.EqualFold(name, want) {
		return k
	}
	return plainField
}

const ours = "x-understudy-"

// family knows the names that only the balancer may set by how they begin.
func family(name string) kind {
	if name != "" && name[0]|0x20 == 'x' && (begins(name, ours) || begins(name, "x-forwarded-")) {
		return reservedField
	}
	return plainField
}

func alias(name, want string) kind {
	if len(name) == len(want) && begins(name, want) {
		return reservedField
	}
	return plainField
}

// begins compares with a name in small letters. To many programs _ and . are the same as -, so they are here.
func begins(name, want string) bool {
	if len(name) < len(want) {
		return false
	}
	for i := range len(want) {
		c := name[i]
		switch {
		case c == '_' || c == '.':
			c = '-'
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// said is what the fields of a message say that matters here, found in one pass.
type said struct {
	id         string // of the first X-Request-Id
	ids        int
	upgrades   bool // Connection: Upgrade
	websocket  bool // Upgrade: websocket
	nominates  bool // Connection names other fields
	trailers   bool // TE: trailers
	expects    bool
	hasLength  bool
	idempotent bool // there is an keyField key
}

func listen(fields h1.Fields) (s said) {
	for i := range fields {
		value := fields[i].Value
		switch kindOf(fields[i].Name) {
		case idField:
			if s.ids++; s.ids == 1 {
				s.id = value
			}
		case connectionField:
			for option := range strings.SplitSeq(value, ",") {
				switch option = trim(option); {
				case h1.EqualFold(option, "upgrade"):
					s.upgrades = true
				case option != "" && !h1.EqualFold(option, "close") && !h1.EqualFold(option, "keep-alive"):
					s.nominates = true
				}
			}
		case upgradeField:
			s.websocket = s.websocket || hasToken(value, "websocket")
		case teField:
			s.trailers = s.trailers || hasToken(value, "trailers")
		case expectField:
			s.expects = true
		case lengthField:
			s.hasLength = true
		case keyField:
			s.idempotent = s.idempotent || value != ""
		}
	}
	return s
}

// hasToken tells whether one of the comma-separated values is token, letter case aside.
func hasToken(value, token string) bool {
	for part := range strings.SplitSeq(value, ",") {
		if h1.EqualFold(trim(part), token) {
			return true
		}
	}
	return false
}

func trim(s string) string { return strings.Trim(s, " \t") }

// passes tells whether a field of the request goes on to the worker.
func (x *exchange) passes(f *h1.Field) bool {
	k := kindOf(f.Name)
	if k != plainField && k != keyField || x.traced(f.Name) || x.said.nominates && x.in.HasToken("Connection", f.Name) {
		return false
	}
	return len(f.Name) != len("Authorization") || !x.isAdminToken(f)
}

// isAdminToken tells whether a field carries the key to the admin plane. Whoever sends it here has mixed up the two; workers must not learn it.
func (x *exchange) isAdminToken(f *h1.Field) bool {
	token := x.s.AdminToken
	if token == "" || !h1.EqualFold(f.Name, "Authorization") {
		return false
	}
	scheme, given, _ := strings.Cut(f.Value, " ")
	return h1.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(trim(given)), []byte(token)) == 1
}

// appendHead writes the head of the request to a worker, up to the fields of its body. Ours are added after what the client nominated is gone, so that
// it cannot nominate them. Names and values are valid: both fronts check them.
func (x *exchange) appendHead(b []byte, l *link, strip bool) []byte {
	b = append(b, x.r.Method...)
	b = append(b, ' ')
	b = x.target.append(b, l.prefix, strip)
	b = append(b, " HTTP/1.1\r\n"...)
	host := x.r.Host
	if host == "" {
		host = l.host
	}
	b = h1.AppendField(b, "Host", host)
	for i := range x.in {
		if f := &x.in[i]; x.passes(f) {
			b = h1.AppendField(b, f.Name, f.Value)
		}
	}
	if x.said.trailers {
		b = append(b, "Te: trailers\r\n"...)
	}
	if x.upgrade {
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	}
	b = h1.AppendField(b, requestIDHeader, x.id)
	b = x.appendTrace(b)
	return x.peer.appendTo(b, x.in, x.r.Host)
}

// appendAnswer takes over a worker's fields, but for what concerns the connection to it and what only the balancer may say.
func appendAnswer(dst, src h1.Fields) h1.Fields {
	named := listen(src).nominates
	for i := range src {
		f := src[i]
		switch kindOf(f.Name) {
		case plainField, keyField:
		case reservedField:
			if begins(f.Name, ours) {
				continue
			}
		default:
			continue
		}
		if !named || !src.HasToken("Connection", f.Name) {
			dst = append(dst, f)
		}
	}
	return dst
}
