package balancer

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"understudy/config"
	"understudy/h1"
)

// trusting is settings that trust some networks.
func trusting(networks ...string) *settings {
	c := testConfig()
	c.TrustedProxies = networks
	return newSettings(c)
}

func TestTheClientIsTheRightMostAddressThatIsNoProxyOfOurs(t *testing.T) {
	s := trusting("10.0.0.0/8", "fd00::/8")
	for _, tt := range []struct {
		name, remote string
		header       http.Header
		client       string
	}{
		{"somebody", "192.0.2.1:1", nil, "192.0.2.1"},
		{"somebody who claims to be another", "192.0.2.1:1", http.Header{"X-Forwarded-For": {"198.51.100.1"}}, "192.0.2.1"},
		{"a proxy that says nothing", "10.0.0.1:1", nil, "10.0.0.1"},
		{"a proxy", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"198.51.100.1"}}, "198.51.100.1"},
		{"a proxy that is asked by IPv6", "[::ffff:10.0.0.1]:1", http.Header{"X-Forwarded-For": {"198.51.100.1"}}, "198.51.100.1"},
		{"what a client claimed before", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"1.1.1.1, 198.51.100.1"}}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"1.1.1.1, 198.51.100.1,10.2.2.2"}}, "198.51.100.1"},
		{"in two fields", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"198.51.100.1", "10.2.2.2, fd00::5"}}, "198.51.100.1"},
		{"proxies alone", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"10.3.3.3, 10.2.2.2"}}, "10.3.3.3"},
		{"with ports", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"[2001:db8::1]:80, 10.2.2.2:90"}}, "2001:db8::1"},
		{"with a zone", "[fd00::1%eth0]:1", http.Header{"X-Forwarded-For": {"fe80::1%eth0"}}, "fe80::1"},
		{"a trail that ends", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"198.51.100.1, unknown, 10.2.2.2"}}, "10.2.2.2"},
		{"nonsense", "10.0.0.1:1", http.Header{"X-Forwarded-For": {",, ;evil"}}, "10.0.0.1"},
		{"a quote in what a client claimed", "10.0.0.1:1", http.Header{"X-Forwarded-For": {`", 198.51.100.1`}}, "198.51.100.1"},
		{"Forwarded", "10.0.0.1:1", http.Header{"Forwarded": {`for=1.1.1.1, For="[2001:db8::1]:80";by=x;host="a,b;for=9.9.9.9"`}}, "2001:db8::1"},
		{"Forwarded of two proxies", "10.0.0.1:1", http.Header{"Forwarded": {"for=198.51.100.1;proto=http", "by=x; for = 10.2.2.2"}}, "198.51.100.1"},
		{"Forwarded that hides its client", "10.0.0.1:1", http.Header{"Forwarded": {"for=198.51.100.1, for=_hidden"}}, "10.0.0.1"},
		{"Forwarded with an element of nobody", "10.0.0.1:1", http.Header{"Forwarded": {"for=198.51.100.1, proto=http"}}, "10.0.0.1"},
		{"Forwarded with a quote that does not end", "10.0.0.1:1", http.Header{"Forwarded": {`for="198.51.100.1, for=1.1.1.1\`}}, "10.0.0.1"},
		{"both", "10.0.0.1:1", http.Header{"X-Forwarded-For": {"198.51.100.1"}, "Forwarded": {"for=1.1.1.1"}}, "198.51.100.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.remote, Header: tt.header}
			p := s.peerOf(r, fieldsOf(tt.header))
			if p.client.String() != tt.client {
				t.Errorf("got %v, want %s", p.client, tt.client)
			}
			if want := map[bool]string{true: tt.client, false: tt.remote}[p.proxy]; p.name(r) != want {
				t.Errorf("its name is %s, want %s", p.name(r), want)
			}
		})
	}
	if p := trusting().peerOf(&http.Request{RemoteAddr: "10.0.0.1:1"}, nil); p.proxy || p.host != "10.0.0.1" {
		t.Errorf("where nobody is trusted: %+v", p)
	}
	if p := s.peerOf(&http.Request{RemoteAddr: "pipe"}, nil); p.proxy || p.client.IsValid() || p.host != "pipe" {
		t.Errorf("without an address: %+v", p)
	}
}

func TestWhatAProxyOfOursSaysIsKeptAndAddedTo(t *testing.T) {
	said := http.Header{
		"X-Forwarded-For": {"1.1.1.1", "2.2.2.2"}, "X-Forwarded-Host": {"outside"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"443"},
		"Forwarded": {"for=1.1.1.1"}, "X-Real-Ip": {"1.1.1.1"}, "X-Forwarded-Prefix": {"/x"}, "X_forwarded_for": {"3.3.3.3"}, "X.Forwarded.Host": {"evil"},
		"Connection": {"X-Forwarded-For, Forwarded"}, "X-Understudy-Worker": {"w9"}, "X-Request-Id": {"r1"},
	}
	names := []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded", "X-Real-Ip", "X-Forwarded-Prefix",
		"X_forwarded_for", "X.Forwarded.Host", "X-Understudy-Worker", "X-Request-Id"}
	for _, tt := range []struct {
		name, trusted string
		in            http.Header
		want          []string
	}{
		{"a proxy of ours", "127.0.0.1/32", said, []string{"1.1.1.1, 2.2.2.2, 127.0.0.1", "outside", "https", "443",
			`for=1.1.1.1, for=127.0.0.1;host="h";proto=http`, "", "", "", "", "", "r1"}},
		{"one that says nothing", "127.0.0.1/32", http.Header{"X-Request-Id": {"r1"}}, []string{"127.0.0.1", "h", "http", "", "", "", "", "", "", "", "r1"}},
		{"anybody", "10.0.0.0/8", said, []string{"127.0.0.1", "h", "http", "", "", "", "", "", "", "", "r1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorldWith(t, config.Config{
				Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: patience}, Pools: []config.Pool{pool("general", "mult")},
				TrustedProxies: []string{tt.trusted},
			})
			seen := make(chan http.Header, 1)
			w.worker("general", func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header })
			req := w.request(http.MethodGet, "/mult", "")
			req.Host = "h"
			for name, values := range tt.in {
				req.Header[name] = values
			}
			w.fetch(req)
			got := wait(t, seen, "the worker")
			for i, name := range names {
				var want []string
				if tt.want[i] != "" {
					want = []string{tt.want[i]}
				}
				if !slices.Equal(got[name], want) {
					t.Errorf("%s: %q, want %q", name, got[name], want)
				}
			}
		})
	}
}

func TestAnIPv6ProxyIsQuotedInForwarded(t *testing.T) {
	s := trusting("fd00::/8")
	r := httptest.NewRequest(http.MethodGet, "https://h:8443/mult", nil)
	r.RemoteAddr = "[fd00::1]:5"
	r.Header.Set("Forwarded", "for=_a")
	in := fieldsOf(r.Header)
	p := s.peerOf(r, in)
	const want = "X-Forwarded-For: fd00::1\r\nX-Forwarded-Host: h:8443\r\nX-Forwarded-Proto: https\r\n" +
		"Forwarded: for=_a, for=\"[fd00::1]\";host=\"h:8443\";proto=https\r\n"
	if got := string(p.appendTo(nil, in, r.Host)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// fieldsOf is a header as it would have come.
func fieldsOf(h http.Header) h1.Fields {
	var in h1.Fields
	for name, values := range h {
		for _, value := range values {
			in = append(in, h1.Field{Name: name, Value: value})
		}
	}
	return in
}
