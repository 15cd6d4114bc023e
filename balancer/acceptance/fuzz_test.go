package acceptance

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzForwarded is row 24: whatever bytes come, what reaches a worker is one well-formed request, and it is the one that a strict reader sees in
// the bytes: same method, same target, same body. Its seeds are the payloads of the rows 1 to 23.
//
//	go test -run '^$' -fuzz FuzzForwarded -fuzztime 60s ./balancer/acceptance
func FuzzForwarded(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, fr := range fronts()[:often(3, 2)] { // TLS has the same server behind it
			r := row{name: "24", with: func(p *plan) {
				p.Pools[0].Capabilities = append(p.Pools[0].Capabilities, "*")
			}, run: func(x *trial) { x.compare(data) }}
			r.try(t, fr)
		}
	})
}

// compare sends the bytes, waits for the end of the connection, and looks at what the worker got.
func (x *trial) compare(data []byte) {
	c := x.dial().send(string(data))
	_ = c.c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = c.r.Peek(1) // a client that ends its half before it is answered is taken for one that left; bytes that are no whole request get no answer
	_ = c.c.SetReadDeadline(soon())
	_ = c.c.CloseWrite()
	_, _ = io.Copy(io.Discard, c.r)
	x.await("the slot is free", x.idle)
	x.first().cut()
	x.await("the worker has read", x.first().hungUp)
	theirs := parse(data)
	for _, m := range theirs {
		m.origin()
	}
	for _, m := range x.first().requests() {
		x.want[m.request()] = amount{0, 1000} // which ones is looked at here
		if !m.whole {
			continue // it was broken off, which is never taken for a request
		}
		if len(theirs) == 0 {
			// The strict reader refused what the server understood: bare LF, folding and the like. What was made of it is in good order, or
			// the invariants say so; its method and target must be words of the first line.
			if method, target, _ := strings.Cut(m.request(), " "); !bytes.Contains(data, []byte(method)) || !bytes.Contains(data, []byte(strings.TrimPrefix(target, "/"))) {
				x.Errorf("the worker got %q, of which nobody spoke", m.start)
			}
			continue
		}
		if !matches(m, theirs) {
			x.Errorf("the worker got %q with %d bytes; what was sent is %q with %d", m.request(), m.size, theirs[0].request(), theirs[0].size)
		}
	}
}

// matches tells whether a request is one of those that were sent.
func matches(m *message, sent []*message) bool {
	for _, s := range sent {
		if s.request() == m.request() && s.size == m.size && bytes.Equal(s.body, m.body) {
			return true
		}
	}
	return false
}

// parse reads requests by the letter, until something is not right.
func parse(data []byte) []*message {
	var list []*message
	r := bufio.NewReader(bytes.NewReader(data))
	for {
		m, err := readStart(r)
		if err != nil {
			return list
		}
		if strings.HasSuffix(m.start, " HTTP/1.0") { // which knows no chunks
			m.fields = slices.DeleteFunc(m.fields, func(f field) bool { return strings.EqualFold(f.name, "Transfer-Encoding") })
		}
		size, err := m.framing()
		if err != nil {
			return list
		}
		if size == -2 {
			size = 0
		}
		if m.readBody(r, size) != nil {
			return list
		}
		list = append(list, m)
	}
}

// origin gives a request in absolute form the target that the worker gets: the path of it.
func (m *message) origin() {
	method, target, ok := strings.Cut(m.request(), " ")
	_, rest, absolute := strings.Cut(target, "://")
	if !ok || !absolute || strings.HasPrefix(target, "/") {
		return
	}
	path := rest[min(len(rest), strings.IndexAny(rest+"/", "/?")):]
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	m.start = method + " " + path + " HTTP/1.1"
}
