package acceptance

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// TestB3: what concerns one connection only, and what only the balancer may say.
func TestB3(t *testing.T) {
	accept(t, b3Nominated(), b3Forwarding(), b3Trusted(), b3Hop(), b3Secrets())
}

func b3Nominated() []row {
	return []row{
		served("25 what the client nominates takes nothing of ours away",
			get("/mult", "Connection: close, X-Forwarded-For, X-Request-Id, Authorization, X-Forwarded-Host, Host\r\nConnection: x-forwarded-proto\r\nAuthorization: Basic eA==\r\nX-Request-Id: mine\r\n"),
			"GET /mult", func(x *trial, m *message) {
				is(x, m, "X-Forwarded-For", "127.0.0.1")
				is(x, m, "X-Forwarded-Host", "h")
				is(x, m, "X-Forwarded-Proto", x.scheme)
				is(x, m, "X-Request-Id", "mine")
				is(x, m, "Host", "h")
				lacks(x, m, "Authorization") // the client asked for it
			}),
		served("25 what the client nominates goes", get("/mult", "Connection: X-Hop, x-another\r\nX-Hop: 1\r\nX-Another: 2\r\nX-End: 3\r\n"), "GET /mult", func(x *trial, m *message) {
			lacks(x, m, "X-Hop", "X-Another")
			is(x, m, "X-End", "3")
		}),
		served("25 framing cannot be nominated away", post("/mult", "Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"), "POST /mult", bodied("hello")),
		served("25 framing cannot be nominated away in chunks", post("/mult", "Connection: Transfer-Encoding, Trailer\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), "POST /mult", bodied("hello")),
	}
}

// b3Forwarding: nobody but the balancer says who the client is. In the names _ and . are - to many programs.
func b3Forwarding() []row {
	var rows []row
	for _, name := range []string{
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Real-Ip", "Forwarded",
		"X-Understudy-Worker", "X-Understudy-Identity", "X-Understudy-Anything", "x-forwarded-for", "X-FORWARDED-FOR",
	} {
		rows = append(rows, served("26 "+name+" from a client", get("/mult", name+": evil\r\n"), "GET /mult", noEvil))
	}
	for _, name := range []string{
		"X_Forwarded_For", "X.Forwarded.For", "x-understudy_worker", "X_Understudy.Identity", "X-Forwarded_Proto", "x_real_ip", "X.Real-Ip", "X_REQUEST_ID", "X.Forwarded-Host",
	} {
		rows = append(rows, served("27 "+name+" from a client", get("/mult", name+": evil\r\n"), "GET /mult", noEvil))
	}
	return rows
}

// b3Trusted: peers whose word about the client counts.
func b3Trusted() []row {
	local := []string{"127.0.0.0/8"}
	trusting := func(p *plan) { p.TrustedProxies = local }
	announced := func(p *plan) {
		p.ProxyProtocol.From, p.before = local, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"
	}
	return []row{
		served("26 a trusted proxy is believed and added to", get("/mult", "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: example.org\r\nX-Understudy-Worker: evil\r\n"), "GET /mult", func(x *trial, m *message) {
			if list := strings.ReplaceAll(strings.Join(m.all("X-Forwarded-For"), ","), " ", ""); list != "192.0.2.7,127.0.0.1" {
				x.Errorf("X-Forwarded-For %q", list)
			}
			is(x, m, "X-Forwarded-Proto", "https")
			is(x, m, "X-Forwarded-Host", "example.org")
			lacks(x, m, "X-Understudy-Worker")
		}).under(trusting),
		served("27 a trusted proxy is not believed under another spelling", get("/mult", "X_Forwarded_For: evil\r\nX.Forwarded.Proto: evil\r\n"), "GET /mult", noEvil).under(trusting),
		served("26 the client in a PROXY header is the client", get("/mult", "X-Forwarded-For: evil\r\n"), "GET /mult", func(x *trial, m *message) {
			is(x, m, "X-Forwarded-For", "192.0.2.7")
		}).under(announced),
		{name: "26 without the PROXY header a connection is closed", with: announced, run: func(x *trial) {
			before := x.plan.before
			x.plan.before = "GET /mult HTTP/1.1\r\nHost: h\r\n\r\n"
			c := x.dial()
			x.plan.before = before
			if text, err := io.ReadAll(c.c); len(text) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				x.Errorf("got %.100q %v", text, err)
			}
		}},
	}
}

func noEvil(x *trial, m *message) {
	for _, f := range m.fields {
		if strings.Contains(f.value, "evil") {
			x.Errorf("the worker saw %s: %s", f.name, f.value)
		}
	}
	is(x, m, "X-Forwarded-For", "127.0.0.1")
	is(x, m, "X-Forwarded-Host", "h")
	is(x, m, "X-Forwarded-Proto", x.scheme)
}

func b3Hop() []row {
	var rows []row
	for _, f := range []string{
		"Proxy: http://evil/", "Proxy-Authorization: Basic eA==", "Proxy-Connection: keep-alive", "Keep-Alive: timeout=5", "TE: gzip", "Upgrade: foo", "HTTP2-Settings: x", "Trailer: X-Sum", "Expect: 100-continue",
	} {
		name, _, _ := strings.Cut(f, ":")
		rows = append(rows, served("28 "+f, get("/mult", f+"\r\n"), "GET /mult", func(x *trial, m *message) { lacks(x, m, name) }))
	}
	for _, te := range []string{"trailers", "gzip, trailers", "Trailers;q=0.5"} {
		rows = append(rows, served(fmt.Sprintf("28 TE: %s", te), get("/mult", "Connection: TE\r\nTE: "+te+"\r\n"), "GET /mult", func(x *trial, m *message) {
			if te != "Trailers;q=0.5" || m.has("TE") { // whether a weight is understood is up to us; gzip never passes
				is(x, m, "TE", "trailers")
			}
		}))
	}
	return rows
}

func b3Secrets() []row {
	const token = "let-me-in-0123456789"
	guarded := func(p *plan) { p.AdminToken = token }
	return []row{
		served("29 the admin token is not for workers", get("/mult", "Authorization: Bearer "+token+"\r\n"), "GET /mult", func(x *trial, m *message) {
			for _, f := range m.fields {
				if strings.Contains(f.value, token) {
					x.Errorf("the worker saw %s: %s", f.name, f.value)
				}
			}
		}).under(guarded),
		served("29 the client's own token is for workers", get("/mult", "Authorization: Bearer mine\r\nCookie: a=b\r\n"), "GET /mult", func(x *trial, m *message) {
			is(x, m, "Authorization", "Bearer mine")
			is(x, m, "Cookie", "a=b")
		}).under(guarded),
	}
}
