package balancer

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"understudy/fleet"
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
