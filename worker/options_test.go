package worker

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestTheEnvironmentIsRead(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		want Options
	}{
		{"nothing", []string{"PATH=/bin", "odd"}, Options{}},
		{"port", []string{"PORT=9000"}, Options{Listen: ":9000"}},
		{"host", []string{"HOST=127.0.0.1"}, Options{Listen: "127.0.0.1:8080"}},
		{"both", []string{"HOST=::1", "PORT=0"}, Options{Listen: "[::1]:0"}},
		{"the last of two", []string{"PORT=9000", "PORT=9001"}, Options{Listen: ":9001"}},
		{"without mult", []string{"MULT=false", "ADD=true"}, Options{Without: []string{"mult"}}},
		{"without add", []string{"ADD=FALSE"}, Options{Without: []string{"add"}}},
		{"planner", []string{"PLANNER=http://p:3000", "ADDRESS=http://me:8080"}, Options{Register: "http://p:3000", Address: "http://me:8080"}},
		{"duration", []string{"DURATION=1s..2s"}, Options{Duration: &Range{time.Second, 2 * time.Second}}},
		{"what a balancer gives", []string{"UNDERSTUDY_IDENTITY=n1", "UNDERSTUDY_WORKER=w1", "UNDERSTUDY_CAPABILITIES=mult, add,", "UNDERSTUDY_CONCURRENCY=2"},
			Options{Identity: "n1", ID: "w1", Capabilities: []string{"mult", "add"}, Concurrency: 2}},
		{"empty values", []string{"PORT=", "UNDERSTUDY_CAPABILITIES=", "UNDERSTUDY_CONCURRENCY=", "DURATION=", "MULT="}, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := FromEnv(c.env)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestEveryBadValueOfTheEnvironmentIsReportedAtOnce(t *testing.T) {
	_, err := FromEnv([]string{"PORT=http", "DURATION=fast", "UNDERSTUDY_CONCURRENCY=many"})
	wantProblems(t, err, `PORT is "http"`, `DURATION is "fast"`, `UNDERSTUDY_CONCURRENCY is "many"`)
	for _, port := range []string{"65536", "-1"} {
		_, err = FromEnv([]string{"PORT=" + port})
		wantProblems(t, err, `PORT is "`+port+`": it must be 0 to 65535`)
	}
}

func TestFlagsBeatTheEnvironment(t *testing.T) {
	env := Options{
		Listen: ":1", Capabilities: []string{"add"}, Without: []string{"mult"}, ID: "e", Register: "http://e", Address: "http://e",
		Duration: &Range{1, 2}, Concurrency: 1, Identity: "e", Grace: 1, Log: slog.New(slog.DiscardHandler),
	}
	flags := Options{
		Listen: ":2", Capabilities: []string{"mult"}, ID: "f", Register: "http://f", Address: "http://f",
		Duration: &Range{}, Concurrency: 2, Identity: "f", Grace: 2, Log: slog.New(slog.DiscardHandler),
	}
	if got := env.Override(flags); !reflect.DeepEqual(got, flags) {
		t.Errorf("with all flags: %+v, want %+v", got, flags)
	}
	if got := env.Override(Options{}); !reflect.DeepEqual(got, env) {
		t.Errorf("with no flags: %+v, want %+v", got, env)
	}
	if got := env.Override(Options{Without: []string{"add"}}); !reflect.DeepEqual(got.Without, []string{"add"}) || got.Capabilities[0] != "add" {
		t.Errorf("with Without: %+v", got)
	}
}

func TestEveryProblemOfTheOptionsIsReportedAtOnce(t *testing.T) {
	opts := Options{
		Listen: "8080", Capabilities: []string{"a/b", ".."}, ID: "w 1", Identity: "n\n", Register: "127.0.0.1:8081", Address: "ftp://me",
		Duration: &Range{ms(2), ms(1)}, Concurrency: 10001, Grace: -1,
	}
	want := []string{
		`listen is "8080"`, `capability "a/b"`, `capability ".."`, `id is "w 1"`, `identity is "n\n"`, `register is "127.0.0.1:8081"`,
		`address is "ftp://me"`, `duration is 2ms..1ms`, "concurrency is 10001: it must be 1 to 10000", "grace is -1ns",
	}
	wantProblems(t, opts.Validate(), want...)
	_, err := New(opts)
	wantProblems(t, err, want...)
	wantProblems(t, Run(t.Context(), opts), want...)
	wantProblems(t, Options{Without: []string{"mult", "add", "sleep"}}.Validate(), "no capability is left")
	wantProblems(t, Options{Capabilities: []string{}}.Validate(), "no capability is left")
	wantProblems(t, Options{Register: "http://h/x?y=1"}.Validate(), "register is")
	wantProblems(t, Options{Concurrency: -1}.Validate(), "concurrency is -1")
	wantProblems(t, Options{ID: strings.Repeat("x", 129)}.Validate(), "id is")
	wantProblems(t, Options{Identity: "\u00e9"}.Validate(), "identity is")
}

func wantProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("got %d problems, want %d:\n%s", len(lines), len(want), err)
		return
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) {
			t.Errorf("problem %d is %s, want %s", i, line, want[i])
		}
	}
}

func TestOptionsThatAreFineHaveNoProblems(t *testing.T) {
	for _, opts := range []Options{
		{},
		{Listen: "127.0.0.1:0", Capabilities: []string{"mult", "mult", "pdf.v2", "*"}, Concurrency: 10000, Grace: maxGrace},
		{Register: "https://planner.example:3000/base/", Address: "http://[::1]:8080", Duration: &Range{0, longest}},
		{Without: []string{"mult", "add"}, ID: strings.Repeat("x", 128)},
	} {
		if err := opts.Validate(); err != nil {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

func TestWhatIsNotSetHasItsDefault(t *testing.T) {
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := w.opts
	if got.Listen != ":8080" || *got.Duration != (Range{ms(50), ms(150)}) || got.Grace != 10*time.Second || got.Concurrency != 0 || w.kinds.String() != "mult, add, sleep" {
		t.Errorf("defaults are %+v, %s, %s", got, got.Duration, w.kinds)
	}
}

func TestAWorkerNobodyNamedGetsAnIDOfItsOwn(t *testing.T) {
	a, b := Options{}.withDefaults(), Options{}.withDefaults()
	if len(a.ID) < 8 || a.ID == b.ID || !isToken(a.ID) {
		t.Errorf("ids %q and %q", a.ID, b.ID)
	}
}

func TestARangeReadsWhatItWrites(t *testing.T) {
	for text, want := range map[string]Range{
		"50ms..150ms":   {ms(50), ms(150)},
		" 1s .. 2s ":    {time.Second, 2 * time.Second},
		"80ms":          {ms(80), ms(80)},
		"0":             {0, 0},
		"0s..10m":       {0, longest},
		"1.5ms..1500µs": {1500 * time.Microsecond, 1500 * time.Microsecond},
	} {
		var got, again Range
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
		if err := again.Set(got.String()); err != nil || again != want {
			t.Errorf("%q is written %s and read %v, %v", text, &got, again, err)
		}
	}
	for _, text := range []string{"", "..", "50ms..", "..50ms", "50", "150ms..50ms", "-1ms..1ms", "1s..601s", "1s...2s", "1s..2s..3s"} {
		kept := Range{1, 2}
		if err := kept.Set(text); err == nil || kept != (Range{1, 2}) {
			t.Errorf("%q was read as %v, %v", text, kept, err)
		}
	}
}

func TestARangeIsPickedFromBetweenItsEndsBothIncluded(t *testing.T) {
	r := Range{3, 5}
	seen := map[time.Duration]bool{}
	for range 1000 {
		seen[r.pick()] = true
	}
	if !reflect.DeepEqual(seen, map[time.Duration]bool{3: true, 4: true, 5: true}) {
		t.Errorf("picked %v", seen)
	}
}
