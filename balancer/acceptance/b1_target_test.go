package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// TestB1: the request line and its target.
func TestB1(t *testing.T) {
	accept(t, b1Line(), b1Target(), b1Path())
}

func b1Line() []row {
	rows := []row{
		refused("1 HTTP/0.9", "GET /\r\n", 400),
		refused("2 no Host", "GET /mult HTTP/1.1\r\n\r\n", 400),
		refused("2 two Hosts", "GET /mult HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
		refused("2 the same Host twice", "GET /mult HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
		refused("3 HTTP/1.32", "GET /mult HTTP/1.32\r\nHost: h\r\n\r\n", 400),
		refused("3 a CR in the version", "GET /mult HTTP/\r\r1.1\r\nHost: h\r\n\r\n", 400),
		refused("3 HTTP/3.0", "GET /mult HTTP/3.0\r\nHost: h\r\n\r\n", 505),
		refused("3 HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
		refused("4 a method that is none", "G=\":<>(e) /mult HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		refused("4 a tab behind the method", "GET\t/mult HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		served("4 an unknown method is passed on as it is", "BREW /mult HTTP/1.1\r\nHost: h\r\n\r\n", "BREW /mult", nothing),
		served("4 get is not GET", "get /mult HTTP/1.1\r\nHost: h\r\n\r\n", "get /mult", nothing),
		declined("5 CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 405),
		declined("5 CONNECT with a path", "CONNECT /mult HTTP/1.1\r\nHost: h\r\n\r\n", 405, 400),
		declined("5 TRACE", "TRACE /mult HTTP/1.1\r\nHost: h\r\n\r\n", 405),
	}
	for _, host := range []string{"a b", "a\x00b", "a,b", "a;b", "a(b", "a*b", "a/b", "a@b", "a\\b", "a#b", "a?b"} {
		rows = append(rows, row{name: fmt.Sprintf("2 Host %q", host), run: func(x *trial) {
			x.refusal(x.ask("GET /mult HTTP/1.1\r\nHost: "+host+"\r\n\r\n"), 400)
		}})
	}
	return rows
}

func b1Target() []row {
	rows := []row{
		{name: "6 OPTIONS * is answered by the balancer", run: func(x *trial) {
			if a := x.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"); a.status != 200 && a.status != 204 {
				x.Errorf("status %d", a.status)
			}
		}},
		declined("7 a raw #", "GET /mult#b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		declined("7 a raw # in the query", "GET /mult?a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		served("8 absolute form: one name for all", "GET http://good/mult HTTP/1.1\r\nHost: evil\r\n\r\n", "GET /mult", func(x *trial, m *message) {
			is(x, m, "Host", "good")
			is(x, m, "X-Forwarded-Host", "good")
		}),
	}
	for _, line := range []string{"GET *", "OPTIONS */x", "GET admin", "GET host:80", "GET ?x", "GET mult/http://h/"} {
		rows = append(rows, declined("6 "+line, line+" HTTP/1.1\r\nHost: h\r\n\r\n", 400))
	}
	return rows
}

// b1Path: whatever the path says, it leads to a capability or nowhere, and never to the admin plane, which has a listener of its own.
func b1Path() []row {
	var rows []row
	for _, path := range []string{
		"/tasks/%2e%2e/admin", "//admin", "/admin%2f", "/..;/", "/%00", "/%5c", "/../metrics", "/metrics", "/api/v1/status", "//mult", "/./mult",
		"/%2e%2e/mult", "/%6dult%2f..%2fadmin",
	} {
		rows = append(rows, declined("9 "+path, get(path, ""), 400, 404))
	}
	for _, path := range []string{"/mult/%2e%2e/admin", "/mult/../admin", "/mult//x", "/mult/%2F%5c%00", "/%6dult/x", "/mult/;a=b", "/mult/a%", "/mult/\"<>^`{|}"} {
		rows = append(rows, either("9 "+path+" byte for byte", get(path, ""), "GET "+path, nothing, 400))
	}
	var many strings.Builder
	for i := range 10001 {
		fmt.Fprintf(&many, "a%d=1&", i)
	}
	for _, q := range []struct{ name, query string }{
		{"10 001 parameters", many.String()}, {"a semicolon", "a=1;b=2"}, {"a bad escape", "%zz&a=%"}, {"nothing behind ?", ""}, {"two ?", "a?b=/c"},
	} {
		rows = append(rows, served("10 "+q.name, get("/mult?"+q.query, ""), "GET /mult?"+q.query, nothing).under(func(p *plan) { p.Limits.Header = 1 << 20 }))
	}
	return rows
}
