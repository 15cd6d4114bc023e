package client

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheBytesOfARequest(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
		body    string
		want    string
	}{
		{"POST", Options{Target: "http://h:1/a%20b/"}, `{"a":1}`,
			"POST /a%20b/mult HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nUser-Agent: understudy-client\r\nContent-Length: 7\r\n\r\n{\"a\":1}"},
		{"an empty body", Options{Target: "http://h"}, "",
			"POST /mult HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nUser-Agent: understudy-client\r\nContent-Length: 0\r\n\r\n"},
		{"HEAD", Options{Target: "http://[fe80::1%25eth0]:80", Method: "HEAD"}, "", "HEAD /mult HTTP/1.1\r\nHost: [fe80::1]:80\r\nUser-Agent: understudy-client\r\n\r\n"},
		{"own fields", Options{Target: "http://h:", Method: "GET", Header: http.Header{"User-Agent": {"me"}, "B": {"1", " 2 "}, "A": {""}, "Host": {"x:2"}}}, "",
			"GET /mult HTTP/1.1\r\nHost: x:2\r\nA: \r\nB: 1\r\nB: 2\r\nUser-Agent: me\r\n\r\n"},
		{"a colon and no port", Options{Target: "http://h:", Method: "GET"}, "", "GET /mult HTTP/1.1\r\nHost: h\r\nUser-Agent: understudy-client\r\n\r\n"},
	} {
		r := mustSender(t, c.options).(*plainSender).requests
		if got, shared := r.request(nil, task{capability: "mult", body: []byte(c.body)}); string(got) != c.want || shared {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.want)
		}
	}
}

// TestALargeRequestIsMadeOnce: and one capability's is not another's.
func TestALargeRequestIsMadeOnce(t *testing.T) {
	r := mustSender(t, Options{}).(*plainSender).requests
	body := []byte(strings.Repeat("x", largeBody))
	first, shared := r.request(nil, task{capability: "a", body: body})
	again, _ := r.request(nil, task{capability: "a", body: body})
	other, _ := r.request(nil, task{capability: "b", body: body})
	if !shared || &first[0] != &again[0] || !strings.HasPrefix(string(first), "POST /a ") || !strings.HasPrefix(string(other), "POST /b ") {
		t.Errorf("%.20q %.20q %.20q", first, again, other)
	}
}
