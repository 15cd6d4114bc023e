package balancer

import (
	"net/http"
	"net/textproto"
	"strconv"

	"understudy/h1"
)

// A front is who speaks HTTP with the client. net/http's server knows fields as a map, and tells by a context that a client has left. Our own
// is an h1.FieldWriter: it has fields as they came, takes them the same way, and tells by a call.

// incoming yields the request's fields. Nothing else looks at the request's Header.
func (x *exchange) incoming() h1.Fields {
	if x.lean != nil {
		return x.lean.RequestFields()
	}
	list := x.values[:0]
	for name, values := range x.r.Header {
		for _, value := range values {
			list = append(list, h1.Field{Name: name, Value: value})
		}
	}
	x.values = list
	return list
}

// put adds a field to the answer.
func (x *exchange) put(name, value string) {
	x.out = append(x.out, h1.Field{Name: name, Value: value})
}

// reply hands the head of the answer over. length is that of the body; below 0: not known.
func (x *exchange) reply(status int, length int64) {
	x.status = status
	if x.lean != nil {
		x.lean.WriteFields(status, x.out, length)
		return
	}
	h := x.w.Header()
	setFields(h, x.out)
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or net/http guesses one
	}
	if length >= 0 && status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	x.w.WriteHeader(status)
}

// setFields adds a list to a map.
func setFields(h http.Header, list h1.Fields) {
	values := make([]string, len(list)) // one allocation for most of them
	for i := range list {
		name := textproto.CanonicalMIMEHeaderKey(list[i].Name)
		if before, ok := h[name]; ok {
			h[name] = append(before, list[i].Value)
			continue
		}
		values[i] = list[i].Value
		h[name] = values[i : i+1 : i+1]
	}
}
