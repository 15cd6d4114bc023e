package client

import (
	"encoding/json"
	"reflect"
	"testing"
)

func tasksOf(t *testing.T, o Options, n int) []task {
	t.Helper()
	m := newMaker(o.withDefaults())
	tasks := make([]task, n)
	for i := range tasks {
		tasks[i] = m.make(0, "", unknownMS)
	}
	return tasks
}

func TestTheSameSeedMakesTheSameRequests(t *testing.T) {
	o := Options{Mix: Mix{{"mult", 1}, {"add", 1}, {"sleep", 1}}, Seed: 7}
	first, again := tasksOf(t, o, 200), tasksOf(t, o, 200)
	if !reflect.DeepEqual(first, again) {
		t.Error("two runs with seed 7 differ")
	}
	o.Seed = 8
	if reflect.DeepEqual(first, tasksOf(t, o, 200)) {
		t.Error("seed 8 makes the same requests as seed 7")
	}
}

func TestSumsAskForWhatTheyAreCheckedAgainst(t *testing.T) {
	for _, x := range tasksOf(t, Options{Mix: Mix{{"mult", 1}, {"add", 1}}}, 100) {
		var body struct{ A, B int }
		if err := json.Unmarshal(x.body, &body); err != nil {
			t.Fatal(err)
		}
		want := body.A + body.B
		if x.capability == "mult" {
			want = body.A * body.B
		}
		if x.sum == nil || x.sum.result() != want || body.A < 1 || body.A > 99 || body.B < 1 || body.B > 99 {
			t.Fatalf("%s %s is checked against %v", x.capability, x.body, x.sum)
		}
	}
}

func TestBodiesSayWhatIsKnown(t *testing.T) {
	given := map[string][]byte{"pdf": []byte("<p>"), "": []byte("any")}
	for _, c := range []struct {
		name       string
		options    Options
		capability string
		ms         float64
		want       string
		checked    bool
	}{
		{"nothing known", Options{}, "pdf", unknownMS, `{}`, false},
		{"a duration", Options{}, "pdf", 12.34567, `{"ms":12.346}`, false},
		{"no time at all", Options{}, "pdf", 0, `{"ms":0}`, false},
		{"a body of its own", Options{Bodies: given}, "pdf", 12, `<p>`, false},
		{"a body for all", Options{Bodies: given}, "mult", unknownMS, `any`, false},
		{"a method without body", Options{Method: "GET", Bodies: given}, "pdf", 12, ``, false},
		{"a sum with a duration", Options{Seed: 1}, "mult", 250, `{"a":35,"b":67,"ms":250}`, true},
		{"a sum nobody checks", Options{Seed: 1, Unverified: true}, "mult", unknownMS, `{"a":35,"b":67}`, false},
	} {
		got := newMaker(c.options.withDefaults()).make(0, c.capability, c.ms)
		if string(got.body) != c.want || (got.sum != nil) != c.checked || got.capability != c.capability {
			t.Errorf("%s: %s %s, checked %v; want %s, checked %v", c.name, got.capability, got.body, got.sum != nil, c.want, c.checked)
		}
	}
}
