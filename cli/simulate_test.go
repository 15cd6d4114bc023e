package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func inFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSimulatePrintsTheFiguresOfEachPolicy(t *testing.T) {
	code, out, errOut := run(t, nil, "simulate", "--workload", "step", "--duration", "1m", "--json")
	if code != exitOK || errOut != "" {
		t.Fatalf("%d: %s", code, errOut)
	}
	var got struct {
		Trace    string
		Requests int
		TargetMS float64 `json:"target_ms"`
		Policies []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Trace != "step" || got.Requests < 1000 || got.TargetMS != 300 || len(got.Policies) != 7 {
		t.Errorf("%+v", got)
	}
	for _, p := range got.Policies {
		for _, key := range []string{"name", "over_target", "avoidable", "p50_ms", "p95_ms", "p99_ms", "worker_seconds", "vs_oracle", "starts", "reversals", "no_spare_s"} {
			if _, ok := p[key]; !ok {
				t.Errorf("%v lacks %s", p["name"], key)
			}
		}
		if len(p) != 11 {
			t.Errorf("%v has %d keys", p["name"], len(p))
		}
	}
}

func TestSimulateTakesPoolsFromAConfiguration(t *testing.T) {
	cfg := inFile(t, "c.yaml", "pools:\n  - {name: p, image: x, capabilities: [pdf], target: {latency: 2s}, workers: {min: 2, max: 3, spare: 0}}\n")
	trace := inFile(t, "t.csv", "t,duration_ms,kind\n0.5,1000,pdf\n0.5,1000,pdf\n0.5,1000,pdf\n9,1,pdf\n")
	code, out, errOut := run(t, nil, "simulate", "--trace", trace, "--config", cfg, "--policy", "understudy,fixed=3", "--format", "json")
	if code != exitOK {
		t.Fatalf("%d: %s", code, errOut)
	}
	for _, want := range []string{`"target_ms": 2000`, `"requests": 4`, `"name": "fixed=3"`, `"worker_seconds": 30`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
}

func TestSimulateTellsStartsApart(t *testing.T) {
	p99 := func(start string) string {
		code, out, errOut := run(t, nil, "simulate", "--workload", "onoff", "--duration", "1m", "--policy", "understudy", "--start-time", start)
		if code != exitOK {
			t.Fatalf("%d: %s", code, errOut)
		}
		return out
	}
	if p99("100ms") == p99("3s..5s") {
		t.Error("how long a start takes makes no difference")
	}
}

func TestSimulateWritesAPageOrPicturesIntoAFile(t *testing.T) {
	for format, begins := range map[string]string{"html": "<!doctype html>", "svg": "<svg xmlns", "text": "lowrate: "} {
		path := filepath.Join(t.TempDir(), "out")
		code, out, errOut := run(t, nil, "simulate", "--workload", "lowrate", "--duration", "1m", "--format", format, "-o", path)
		page, err := os.ReadFile(path)
		if code != exitOK || out != "" || err != nil || !strings.HasPrefix(string(page), begins) {
			t.Errorf("%s: %d, %q, %s, %v, %.40q", format, code, out, errOut, err, page)
		}
	}
}

func TestSimulateRefusesWhatMakesNoSenseInOneSentence(t *testing.T) {
	trace := func(text string) []string { return []string{"--trace", inFile(t, "t.csv", text)} }
	cfg := inFile(t, "c.yaml", "pools:\n  - {name: p, capabilities: [mult]}\n  - {name: q, capabilities: [add]}\n")
	wrong := inFile(t, "w.yaml", "pools:\n  - {name: p, capabilities: [mult], worker: 3}\n")
	for _, c := range []struct {
		args []string
		say  string
	}{
		{nil, "either --trace FILE.csv or --workload NAME"},
		{[]string{"--workload", "step", "--trace", "x.csv"}, "either --trace"},
		{[]string{"--workload", "zigzag"}, `there is no workload "zigzag"; there are steady`},
		{[]string{"--workload", "step", "--policy", "hpa"}, `there is no policy "hpa"`},
		{[]string{"--workload", "step", "--policy", "fixed=0"}, "fixed=0"},
		{[]string{"--workload", "step", "--policy", "fixed=65"}, "fixed=65"},
		{[]string{"--workload", "step", "--format", "pdf"}, "text, json, html or svg"},
		{[]string{"--workload", "step", "--format", "html", "--json"}, "exclude each other"},
		{[]string{"--workload", "step", "--duration", "0s"}, "--duration is 0s"},
		{[]string{"--workload", "step", "--duration", "400h"}, "at most a week"},
		{[]string{"--workload", "step", "--start-time", "800ms..400ms"}, "start-time"},
		{[]string{"--workload", "step", "--target", "0s"}, "--target is 0s"},
		{[]string{"--workload", "step", "--target", "1s", "--config", cfg}, "exclude each other"},
		{[]string{"--workload", "step", "--config", cfg}, "there are several pools"},
		{[]string{"--workload", "step", "--config", "/nowhere.yaml"}, "/nowhere.yaml"},
		{[]string{"--workload", "step", "--config", wrong}, "worker"},
		{[]string{"--workload", "step", "-o", "/nowhere/x"}, "--output"},
		{[]string{"--trace", "/nowhere.csv"}, "trace /nowhere.csv cannot be opened: no such file"},
		{[]string{"--trace", "/"}, "trace /"},
		{trace(""), "is empty"},
		{trace("time\n1\n"), "line 1: there is no column t"},
		{trace("t\n"), "no rows"},
		{trace("t\n1\n-1\n"), "line 3"},
		{trace("t\n2\n1\n"), "line 3"},
		{trace("t\nNaN\n"), "line 2"},
		{trace("t,duration_ms\n1,-5\n"), "line 2"},
		{append(trace("t,kind\n1,mult\n2,div\n"), "--config", cfg), `line 3: kind is "div": no pool has it`},
		{append(trace("t\n1\n"), "--config", cfg), "has no column kind"},
	} {
		code, out, errOut := run(t, nil, append([]string{"simulate"}, c.args...)...)
		if code != exitUsage || out != "" || !strings.Contains(errOut, c.say) {
			t.Errorf("%v: exit %d, %q; want 2 and %q", c.args, code, errOut, c.say)
		}
		if !slices.Contains(c.args, wrong) && strings.Count(strings.TrimSpace(errOut), "\n") > 0 {
			t.Errorf("%v: more than one line: %s", c.args, errOut)
		}
	}
}
