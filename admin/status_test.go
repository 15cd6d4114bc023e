package admin

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/fleet"
	"understudy/scaler"
	"understudy/scaler/policy"
)

func indented(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return b.Bytes()
}

func TestStatusHasTheDocumentedShape(t *testing.T) {
	w := do(New(newStage(t).Options), "GET", "/api/v1/status", nil, "")
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
	golden(t, "status.json", indented(t, w.Body.Bytes()))
}

func TestStatusHasEveryNameOfTheContract(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal(do(New(newStage(t).Options), "GET", "/api/v1/status", nil, "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	pool := got["pools"].([]any)[0].(map[string]any)
	worker := pool["workers"].([]any)[0].(map[string]any)
	for _, c := range []struct {
		where string
		have  map[string]any
		want  string
	}{
		{"top", got, "instance driver uptime_s publish ports pools"},
		{"engine", got["engine"].(map[string]any), "state since_s error"},
		{"ports", got["ports"].(map[string]any), "from to leased quarantined free"},
		{"pool", pool, "name capabilities target_ms percentile p50_ms p95_ms p99_ms rate queue desired reason unavailable workers"},
		{"worker", worker, "id state port inflight served age_s start"},
	} {
		for name := range strings.FieldsSeq(c.want) {
			if _, ok := c.have[name]; !ok {
				t.Errorf("%s lacks %s", c.where, name)
			}
		}
	}
}

func TestStatusNeverHasNullForAList(t *testing.T) {
	h := New(Options{Fleet: fleet.New([]fleet.PoolConfig{{Name: "empty"}}, time.Now), Ports: fleet.NewPorts(1, 0, time.Now), Journal: scaler.NewJournal(1)})
	for _, path := range []string{"/api/v1/status", "/api/v1/decisions"} {
		body := do(h, "GET", path, nil, "").Body.String()
		if strings.Contains(strings.Replace(body, `"last_exit":null`, "", 1), "null") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestDecisionsHaveTheDocumentedShape(t *testing.T) {
	s := newStage(t)
	s.journal.Add(entry("general", 2, 2, "held: a peak of 3 s ago"))
	golden(t, "decisions.json", indented(t, do(New(s.Options), "GET", "/api/v1/decisions", nil, "").Body.Bytes()))
}

func numbers(d Decisions) []uint64 {
	var out []uint64
	for _, e := range d.Decisions {
		out = append(out, e.Number)
	}
	return out
}

func TestDecisionsAreTheLastNOldestFirst(t *testing.T) {
	s := newStage(t)
	for i := range 60 { // 61 in all, in a journal of 50
		s.journal.Add(entry("general", i, i+1, "more"))
	}
	h := New(s.Options)
	for query, want := range map[string]int{"": 20, "?n=3": 3, "?n=1": 1, "?n=1000": 50} {
		var d Decisions
		if err := json.Unmarshal(do(h, "GET", "/api/v1/decisions"+query, nil, "").Body.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		got := numbers(d)
		if d.Total != 61 || len(got) != want || got[len(got)-1] != 61 || !slices.IsSorted(got) || d.Decisions[want-1].To != 60 {
			t.Errorf("%q: %d in all, numbers %v, want the last %d", query, d.Total, got, want)
		}
	}
	for _, query := range []string{"?n=0", "?n=-1", "?n=1001", "?n=x", "?n=1.5", "?n=99999999999999999999"} {
		if w := do(h, "GET", "/api/v1/decisions"+query, nil, ""); w.Code != 400 || codeOf(t, w) != "bad-number" {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
}

// growing is a journal that gets an entry between any two reads, as often as it is told to.
type growing struct {
	*scaler.Journal
	grow int
}

func (g *growing) Last(n int) []scaler.Entry {
	if g.grow > 0 {
		g.grow--
		g.Add(entry("general", 0, int(g.Journal.Total())+1, "late"))
	}
	return g.Journal.Last(n)
}

func TestNumbersStayRightWhileTheJournalGrows(t *testing.T) {
	s := newStage(t)
	j := &growing{Journal: scaler.NewJournal(10), grow: 3}
	for i := range 5 {
		j.Add(entry("general", 0, i+1, "early"))
	}
	s.Journal = j
	var d Decisions
	if err := json.Unmarshal(do(New(s.Options), "GET", "/api/v1/decisions?n=4", nil, "").Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	for _, e := range d.Decisions {
		if e.Number != uint64(e.To) {
			t.Errorf("the decision numbered %d is number %d", e.Number, e.To)
		}
	}
	if d.Total != 8 || len(d.Decisions) != 4 {
		t.Errorf("total %d, %d entries; want 8 and 4", d.Total, len(d.Decisions))
	}
}

func TestWhatIsNoNumberIsStillJSON(t *testing.T) {
	s := newStage(t)
	s.journal.Add(scaler.Entry{Pool: "general", Decision: policy.Decision{
		Load: math.NaN(), Misses: [3]float64{math.NaN(), math.Inf(1), math.Inf(-1)},
	}, Input: policy.Snapshot{MeanBusy: math.Inf(1), HostCPU: math.NaN()}})
	var d Decisions
	w := do(New(s.Options), "GET", "/api/v1/decisions?n=1", nil, "")
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if got := d.Decisions[0]; got.LoadErlang != 0 || got.Misses[0].Known() || got.Misses[1].Known() || got.Inputs.HostCPU.Known() {
		t.Errorf("%+v", got)
	}
}

func TestAShareSurvivesJSON(t *testing.T) {
	for text, want := range map[string]Share{"null": -1, "0": 0, "0.0612": 0.0612, "1": 1} {
		var s Share
		if err := json.Unmarshal([]byte(text), &s); err != nil || s != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
		if back, err := json.Marshal(s); err != nil || string(back) != text {
			t.Errorf("%v becomes %s, %v", s, back, err)
		}
	}
	var s Share
	if json.Unmarshal([]byte(`"half"`), &s) == nil {
		t.Error("a word passes for a share")
	}
}

func TestStatusAndDecisionsWhileEverythingMoves(t *testing.T) {
	f := fleet.New([]fleet.PoolConfig{{Name: "general", Capabilities: []string{"mult"}, Max: 8, QueueLength: 9, QueueWait: time.Second}}, time.Now)
	j := scaler.NewJournal(8)
	h := New(Options{Fleet: f, Ports: fleet.NewPorts(20000, 20010, time.Now), Journal: j})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 200 {
			w, err := f.Add(fleet.Info{ID: "w", Pool: "general", Origin: fleet.Cold})
			if err != nil {
				t.Error(err)
				return
			}
			f.Ready(w.ID, "http://127.0.0.1:1", 1)
			j.Add(entry("general", 1, 2, "more"))
			f.Remove(w.ID)
		}
	})
	for range 2 {
		wg.Go(func() {
			for range 50 {
				for _, path := range []string{"/", "/api/v1/status", "/api/v1/decisions"} {
					if w := do(h, "GET", path, nil, ""); w.Code != 200 {
						t.Errorf("%s: %d %s", path, w.Code, w.Body)
					}
				}
			}
		})
	}
	wg.Wait()
}
