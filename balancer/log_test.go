package balancer

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"understudy/fleet"
	"understudy/logs"
)

func TestEachRequestIsOneLineThatSaysWhatHappened(t *testing.T) {
	f := fleetOf(general())
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b := New(Options{Fleet: f, Config: testConfig(), Log: log, Prober: newScript()})
	worker := serve(t, echo)
	if _, err := f.Add(fleet.Info{ID: "w1", Pool: "general", Address: worker.URL, Origin: fleet.Cold}); err != nil {
		t.Fatal(err)
	}
	f.Ready("w1", "", 1)
	defer f.Remove("w1")
	for _, target := range []string{"/mult", "/nope\r\n\x1b[31mforged"} {
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		r.RequestURI = target
		b.ServeHTTP(httptest.NewRecorder(), r)
	}
	var lines []map[string]any
	for line := range bytes.Lines(out.Bytes()) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil || bytes.ContainsAny(line[:len(line)-1], "\r\x1b") {
			t.Fatalf("%v in %q", err, line)
		}
		lines = append(lines, m)
	}
	if len(lines) != 2 {
		t.Fatalf("%d lines for 2 requests", len(lines))
	}
	if l := lines[0]; l["status"] != 200.0 || l["worker"] != "w1" || l["capability"] != "mult" || l["pool"] != "general" || l["id"] == "" || l["cause"] != nil {
		t.Errorf("got %v", l)
	}
	if l := lines[1]; l["status"] != 400.0 || l["worker"] != nil || l["cause"] == nil {
		t.Errorf("got %v", l)
	}
	out.Reset()
	b.log = slog.New(slog.NewTextHandler(&out, nil))
	b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/mult", nil))
	if out.Len() > 0 {
		t.Errorf("logged below debug: %s", &out)
	}
}

// accessLine sends one request through b and yields the line it wrote.
func accessLine(t *testing.T, b *Balancer, out *bytes.Buffer, r *http.Request) map[string]any {
	t.Helper()
	out.Reset()
	func() {
		defer func() { _ = recover() }() // a client that left is a panic the server knows
		b.ServeHTTP(httptest.NewRecorder(), r)
	}()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	b.access.Run(ctx) // its end writes what there is
	var m map[string]any
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return m
}

func TestTheAccessLogTellsHowEachRequestEnded(t *testing.T) {
	f := fleetOf(general())
	var out bytes.Buffer
	b := New(Options{Fleet: f, Config: testConfig(), Access: logs.NewAccess(&out, logs.JSON, slog.New(slog.DiscardHandler)), Prober: newScript()})
	r := httptest.NewRequest(http.MethodGet, "/mult", nil)
	ctx, leave := context.WithCancel(r.Context())
	leave()
	if l := accessLine(t, b, &out, r.WithContext(ctx)); l["status"] != 499.0 || l["worker"] != nil || l["queue_ms"] == nil || l["service_ms"] != nil || l["bytes"] != 0.0 {
		t.Errorf("the client left: %v", l)
	}
	worker := serve(t, echo)
	if _, err := f.Add(fleet.Info{ID: "w1", Pool: "general", Address: worker.URL, Origin: fleet.Cold}); err != nil {
		t.Fatal(err)
	}
	f.Ready("w1", "", 1)
	defer f.Remove("w1")
	r = httptest.NewRequest(http.MethodPost, "/mult?x=1", strings.NewReader("hello"))
	r.Header.Set("User-Agent", `te"st`)
	r.Header.Set("Referer", "http://a/")
	r.RemoteAddr = "192.0.2.9:4711"
	l := accessLine(t, b, &out, r)
	for key, want := range map[string]any{
		"status": 200.0, "worker": "w1", "start": "warm", "capability": "mult", "pool": "general", "method": "POST", "target": "/mult?x=1",
		"client": "192.0.2.9", "agent": `te"st`, "referer": "http://a/", "proto": "HTTP/1.1", "cause": nil,
	} {
		if l[key] != want {
			t.Errorf("%s is %v, want %v", key, l[key], want)
		}
	}
	if bytes, _ := l["bytes"].(float64); bytes == 0 || l["queue_ms"] == nil || l["service_ms"] == nil || l["took_ms"] == nil || l["id"] == "" {
		t.Errorf("got %v", l)
	}
	l = accessLine(t, b, &out, httptest.NewRequest(http.MethodGet, "/nobody-has-this", nil))
	if bytes, _ := l["bytes"].(float64); l["status"] != 404.0 || l["capability"] != nil || l["queue_ms"] != nil || bytes == 0 || l["cause"] == nil {
		t.Errorf("unknown: %v", l)
	}
	b.access.SetFormat(logs.Off)
	out.Reset()
	b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/mult", nil))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if b.access.Run(ctx); out.Len() > 0 {
		t.Errorf("logged although it is off: %s", &out)
	}
}

func TestTheAccessLogNamesTheClientBehindATrustedProxy(t *testing.T) {
	f := fleetOf(general())
	var out bytes.Buffer
	c := testConfig()
	c.TrustedProxies = []string{"192.0.2.0/24"}
	b := New(Options{Fleet: f, Config: c, Access: logs.NewAccess(&out, logs.JSON, slog.New(slog.DiscardHandler)), Prober: newScript()})
	r := httptest.NewRequest(http.MethodGet, "/nobody-has-this", nil)
	r.RemoteAddr = "192.0.2.9:4711"
	r.Header.Set("X-Forwarded-For", "203.0.113.5")
	if l := accessLine(t, b, &out, r); l["client"] != "203.0.113.5" {
		t.Errorf("got %v", l)
	}
}
