package dashboard

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"understudy/fleet"
)

var dawn = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// seen is a pool with workers in the given states.
func seen(states ...fleet.State) fleet.PoolStatus {
	p := fleet.PoolStatus{Name: "general", P50: 10 * time.Millisecond, P95: 104_360 * time.Microsecond, P99: 2 * time.Second, Rate: 12.34, Queue: 3, InFlight: 2, Desired: 4}
	for i, s := range states {
		p.Workers = append(p.Workers, fleet.WorkerStatus{Info: fleet.Info{ID: fmt.Sprint("w", i+1)}, State: s, Ready: 460 * time.Millisecond, Reason: "because"})
	}
	return p
}

func TestASampleIsWhatTheStatusSays(t *testing.T) {
	h := NewHistory()
	h.Add(dawn, []fleet.PoolStatus{seen(fleet.Active, fleet.Active, fleet.Spare, fleet.Starting, fleet.Draining, fleet.Failed)})
	got, moments := h.Latest("general")
	want := Sample{At: dawn.UnixMilli(), P50: 10, P95: 104.4, P99: 2000, Rate: 12.3, Queue: 3, InFlight: 2, Desired: 4, Active: 2, Spare: 1, Starting: 1, Draining: 1, Failed: 1}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if len(moments) != 0 {
		t.Errorf("what was there before the first look did not just happen: %v", moments)
	}
	if other, _ := h.Latest("other"); other != (Sample{}) {
		t.Errorf("a pool that is not there: %+v", other)
	}
}

func TestAQuarterOfAnHourIsRememberedInOrder(t *testing.T) {
	h := NewHistory()
	for i := range 2*maxSamples + 7 {
		p := seen()
		p.Queue = i
		h.Add(dawn.Add(time.Duration(i)*time.Second), []fleet.PoolStatus{p})
	}
	c := h.Columns("general")
	if len(c.At) != maxSamples || c.At[maxSamples-1]-c.At[0] != int64(maxSamples-1)*1000 {
		t.Fatalf("%d samples over %d ms", len(c.At), c.At[len(c.At)-1]-c.At[0])
	}
	for i := range c.Queue {
		if want := int32(maxSamples + 7 + i); c.Queue[i] != want {
			t.Fatalf("sample %d is number %d, want %d", i, c.Queue[i], want)
		}
	}
	h.Add(dawn, nil)
	if c := h.Columns("general"); len(c.At) != 0 {
		t.Errorf("a pool that is gone has %d samples", len(c.At))
	}
}

// TestColumnsAreTheFieldsOfASample: the page reads one as the other.
func TestColumnsAreTheFieldsOfASample(t *testing.T) {
	h := NewHistory()
	p := seen(fleet.Active, fleet.Spare, fleet.Spare, fleet.Starting, fleet.Draining, fleet.Draining, fleet.Failed)
	h.Add(dawn, []fleet.PoolStatus{p})
	sample, _ := h.Latest("general")
	fields, columns := map[string]any{}, map[string]any{}
	reread(t, sample, &fields)
	reread(t, h.Columns("general"), &columns)
	delete(columns, "pool")
	for name, v := range fields {
		if !reflect.DeepEqual(columns[name], []any{v}) {
			t.Errorf("%s is %v in the sample and %v in the columns", name, v, columns[name])
		}
	}
	if len(fields) != len(columns) {
		t.Errorf("%d fields, %d columns", len(fields), len(columns))
	}
}

func reread(t *testing.T, from, to any) {
	t.Helper()
	b, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatal(err)
	}
}

func TestWorkersThatChangeAreMoments(t *testing.T) {
	h := NewHistory()
	at := dawn
	next := func(p fleet.PoolStatus) []string {
		at = at.Add(time.Second)
		h.Add(at, []fleet.PoolStatus{p})
		_, moments := h.Latest("general")
		var said []string
		for _, m := range moments {
			said = append(said, fmt.Sprintf("%s %s>%s %d %s", m.Worker, m.From, m.To, m.TookMS, m.Reason))
		}
		return said
	}
	ejected := seen(fleet.Active)
	ejected.Workers[0].Ejected = time.Second
	for i, c := range []struct {
		now  fleet.PoolStatus
		want []string
	}{
		{seen(fleet.Spare), nil},
		{seen(fleet.Active, fleet.Starting), []string{"w1 spare>active 0 ", "w2 >starting 460 "}},
		{seen(fleet.Active, fleet.Spare), []string{"w2 starting>spare 460 "}},
		{seen(fleet.Active, fleet.Spare), nil},
		{seen(fleet.Active, fleet.Draining), []string{"w2 spare>draining 0 because"}},
		{seen(fleet.Active), []string{"w2 draining>gone 0 "}},
		{ejected, []string{"w1 active>ejected 0 because"}},
		{ejected, nil},
		{seen(fleet.Active), []string{"w1 active>back 0 "}},
		{seen(fleet.Failed), []string{"w1 active>failed 0 because"}},
	} {
		if got := next(c.now); !slices.Equal(got, c.want) {
			t.Errorf("step %d: %q, want %q", i, got, c.want)
		}
	}
	if all := h.Moments("general"); len(all) != 8 || all[0].Worker != "w1" {
		t.Errorf("remembered: %v", all)
	}
}

func TestMemoryDoesNotGrow(t *testing.T) {
	h := NewHistory()
	fill := func(rounds int) uint64 {
		for i := range rounds {
			p := seen(fleet.Active, fleet.Starting)
			p.Workers[1].ID = fmt.Sprint("w", i) // a new one each time
			h.Add(dawn.Add(time.Duration(i)*time.Second), []fleet.PoolStatus{p})
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	empty := fill(0)
	before := fill(2 * maxSamples)
	if before > empty+150<<10 {
		t.Errorf("a pool takes %d KiB", (before-empty)>>10)
	}
	t.Logf("a pool takes %d KiB", (before-empty)>>10)
	after := fill(20 * maxSamples)
	if after > before+64<<10 {
		t.Errorf("%d KiB after half an hour, %d KiB after five hours more", before>>10, after>>10)
	}
	if n := len(h.pools["general"].workers); n != 2 {
		t.Errorf("%d workers are remembered, want the 2 there are", n)
	}
	runtime.KeepAlive(h)
}
