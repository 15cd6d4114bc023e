package balancer

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy/h1"
)

func TestKindsOfFields(t *testing.T) {
	want := map[kind][]string{
		plainField: {"Accept", "X", "", "Content-Type", "X-Mine", "X-Forward", "Forwarded-By", "X-Realip", "X-Understudy", "Connexion", "Tea", "X-Real-Ips", "Cookie", "Authorization",
			"Traceparent", "User-Agent", "X-Request-Ids", "Keep_Alive", "Proxying", "Upgrades", "Content-Lengths"},
		hopField: {"Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info", "Transfer-Encoding", "Http2-Settings", "Proxy"},
		reservedField: {"X-Forwarded-For", "X-Forwarded-", "X-Forwarded-Anything-At-All", "X_Forwarded_For", "X.Forwarded.Host", "X-Understudy-Worker", "X_understudy-w", "Forwarded", "X-Real-Ip",
			"X_Real.Ip", "X_Request_Id", "X.Request-Id", "X-Forwarded-Proto", "X-Forwarded-Ssl", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server"},
		connectionField: {"Connection"}, upgradeField: {"Upgrade"}, teField: {"Te"}, trailerField: {"Trailer"}, expectField: {"Expect"},
		framingField: {"Host"}, lengthField: {"Content-Length"}, keyField: {"Idempotency-Key", "X-Idempotency-Key"}, idField: {"X-Request-Id"},
	}
	for k, names := range want {
		for _, name := range names {
			for _, spelt := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				if got := kindOf(spelt); got != k {
					t.Errorf("%s is %d, want %d", spelt, got, k)
				}
			}
		}
	}
}

func TestWhatTheFieldsSay(t *testing.T) {
	tests := []struct {
		name   string
		fields h1.Fields
		want   said
	}{
		{"nothing", h1.Fields{{Name: "Accept", Value: "x"}, {Name: "Connection", Value: "keep-alive, , close"}}, said{}},
		{"an upgrade", h1.Fields{{Name: "connection", Value: "keep-alive,\tUPGRADE"}, {Name: "upgrade", Value: "h2c, WebSocket"}}, said{upgrades: true, websocket: true}},
		{"nominations", h1.Fields{{Name: "Connection", Value: "close"}, {Name: "Connection", Value: "X-Mine"}}, said{nominates: true}},
		{"trailers", h1.Fields{{Name: "TE", Value: "gzip, trailers"}, {Name: "Trailer", Value: "X"}}, said{trailers: true}},
		{"ids", h1.Fields{{Name: "x-request-id", Value: "1"}, {Name: "X-Request-Id", Value: "2"}}, said{id: "1", ids: 2}},
		{"the rest", h1.Fields{{Name: "Expect", Value: "x"}, {Name: "content-length", Value: "0"}, {Name: "Idempotency-Key", Value: "k"}}, said{expects: true, hasLength: true, idempotent: true}},
		{"a key that is empty", h1.Fields{{Name: "Idempotency-Key", Value: ""}}, said{}},
	}
	for _, tt := range tests {
		if got := listen(tt.fields); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestFieldsThatMayTrail(t *testing.T) {
	for name, may := range map[string]bool{
		"Grpc-Status": true, "X-Checksum": true, "Server-Timing": true, "Ranges": true,
		"Content-Length": false, "content-type": false, "Transfer-Encoding": false, "Host": false, "Authorization": false, "Cookie": false, "Set-Cookie": false, "X-Forwarded-For": false,
		"X-Understudy-Worker": false, "Trailer": false, "Te": false, "Range": false, "Connection": false, "X-Request-Id": false, "": false,
	} {
		if trails(name) != may {
			t.Errorf("%q: %v", name, !may)
		}
	}
}

func TestChunks(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 4096, relayBuffer - chunkHead - chunkTail} {
		buf := make([]byte, relayBuffer)
		for i := range n {
			buf[chunkHead+i] = 'x'
		}
		want := ""
		if n > 0 {
			want = strconv.FormatInt(int64(n), 16) + "\r\n" + strings.Repeat("x", n) + "\r\n"
		}
		if got := string(chunk(buf, n)); got != want {
			t.Errorf("%d bytes: %.20q", n, got)
		}
	}
}

func TestMillis(t *testing.T) {
	for want, d := range map[string]int64{"0": -5000, "0.001": 500, "0.002": 1500, "1": 1_000_000, "1.2": 1_200_000, "103.4": 103_400_000, "12.034": 12_034_000, "60000": 60_000_000_000} {
		if got := string(appendMillis(nil, time.Duration(d))); got != want {
			t.Errorf("%d ns is %s, want %s", d, got, want)
		}
	}
	if got := serverTiming(time.Duration(1_200_000), time.Duration(103_400_000)); got != "queue;dur=1.2, service;dur=103.4" {
		t.Error(got)
	}
	if got := serverTiming(0, -1); got != "queue;dur=0" {
		t.Error(got)
	}
}
