package balancer

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"understudy/h1"
)

// overH2 tells whether the request came by HTTP/2. net/http hands over one that only says so in plain text, too: PRI * HTTP/2.0.
func overH2(r *http.Request) bool { return r.ProtoMajor == 2 && r.Method != "PRI" }

// fromH2 makes of a request that came by HTTP/2 what HTTP/1.1 can carry, or tells what makes it one that HTTP/1.1 cannot. Frames need no
// delimiters, so what is one here may come in a name or a value there.
func fromH2(r *http.Request) (wrong string) {
	switch {
	case !h1.IsToken(r.Method):
		return "The :method is no method."
	case strings.ContainsFunc(r.RequestURI, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return "The :path has a space or a control character in it."
	case !h1.IsValue(r.Host):
		return "The :authority is no host name."
	case !sameHost(r):
		return "The host field is not the :authority."
	case !sameLength(r):
		return "The content-length is not that of the body."
	}
	for name, values := range r.Header {
		if !h1.IsToken(name) {
			return "A field's name is none."
		}
		for i, value := range values {
			if !h1.IsValue(value) {
				return "A field's value has a control character in it."
			}
			values[i] = textproto.TrimString(value)
		}
	}
	delete(r.Header, "Host") // from here on said by Host and ContentLength alone, as with HTTP/1.1
	delete(r.Header, "Content-Length")
	return ""
}

func sameHost(r *http.Request) bool {
	hosts := r.Header["Host"]
	return len(hosts) == 0 || len(hosts) == 1 && strings.EqualFold(hosts[0], r.Host)
}

// sameLength tells whether the length that is declared is the one that net/http goes by; that it is the body's, net/http sees to.
func sameLength(r *http.Request) bool {
	lengths := r.Header["Content-Length"]
	return len(lengths) == 0 || len(lengths) == 1 && lengths[0] == strconv.FormatInt(r.ContentLength, 10)
}

// closeAfter tells the client that this is the connection's last answer. With HTTP/2 that would end all the other streams too, and no stream
// can be mistaken for the rest of another one.
func (x *exchange) closeAfter() {
	if x.r.ProtoMajor == 1 {
		x.put("Connection", "close")
	}
}
