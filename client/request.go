package client

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"understudy/h1"
)

// requests makes the bytes of requests. All but capability and body is the same for all of a run. Safe for concurrent use.
type requests struct {
	method   string
	before   string // method and target up to the capability
	after    string // from behind the capability to the field that says how long the body is
	bodiless bool
	large    sync.Map // the whole request by capability, where its body is large: it does not change in a run
}

// largeBody is where copying a body for each request begins to cost more than keeping the request, in bytes.
const largeBody = 4 << 10

func newRequests(o Options, base *url.URL) *requests {
	host := o.Header.Get("Host")
	if host == "" {
		host = hostOf(base)
	}
	after := []byte(" HTTP/1.1\r\n")
	after = h1.AppendField(after, "Host", host)
	header := requestHeader(o)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			after = h1.AppendField(after, name, strings.Trim(value, " \t"))
		}
	}
	return &requests{
		method: o.Method, before: o.Method + " " + base.EscapedPath() + "/", after: string(after), bodiless: o.bodiless(),
	}
}

// hostOf is the value of the Host field: neither a zone, which means nothing to others, nor a colon without a port.
func hostOf(u *url.URL) string {
	host := strings.TrimSuffix(u.Host, ":")
	if zone := strings.IndexByte(host, '%'); zone >= 0 {
		if end := strings.IndexByte(host, ']'); end > zone {
			host = host[:zone] + host[end:]
		}
	}
	return host
}

func requestHeader(o Options) http.Header {
	h := o.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Del("Host") // it comes first, and from elsewhere where there is none
	if h.Get("Content-Type") == "" && !o.bodiless() {
		h.Set("Content-Type", "application/json")
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "understudy-client")
	}
	return h
}

// request is the bytes of the request for t, in scratch where they have to be made. shared ones belong to all and must not be changed.
func (r *requests) request(scratch []byte, t task) (request []byte, shared bool) {
	if len(t.body) < largeBody {
		return r.append(scratch, t), false
	}
	if whole, ok := r.large.Load(t.capability); ok {
		return whole.([]byte), true
	}
	whole, _ := r.large.LoadOrStore(t.capability, r.append(nil, t))
	return whole.([]byte), true
}

func (r *requests) append(b []byte, t task) []byte {
	b = append(b, r.before...)
	b = append(b, t.capability...) // one clean segment
	b = append(b, r.after...)
	if !r.bodiless {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(t.body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, t.body...)
}
