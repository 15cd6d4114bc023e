package simulate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/config"
)

// drawn is every request of a load.
func drawn(t *testing.T, l Load, seed uint64) []request {
	t.Helper()
	src, err := l.open(seed)
	if err != nil {
		t.Fatal(err)
	}
	defer src.close()
	var all []request
	for {
		req, err := src.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, req)
	}
}

func TestWorkloadsHaveTheRatesTheyAreKnownFor(t *testing.T) {
	const length = 20 * time.Minute
	for name, perSecond := range map[string]float64{
		"steady": 50, "step": 27.5, "ramp": 52.5, "spike": 17.5, "diurnal": 32.5, "onoff": 40. / 3, "lowrate": 0.5, "batch": 7 - 10./1200,
	} {
		all := drawn(t, fromWorkload(t, name, length), 7)
		want := perSecond * length.Seconds()
		if got := float64(len(all)); math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%s: %.0f requests, want about %.0f", name, got, want)
		}
		if !slices.IsSortedFunc(all, func(a, b request) int { return int(a.at - b.at) }) {
			t.Errorf("%s is not in order", name)
		}
		if last := all[len(all)-1].at; last >= length || last < length-time.Minute {
			t.Errorf("%s ends at %v", name, last)
		}
		sum, late := 0.0, 0
		for _, req := range all {
			sum += req.service.Seconds()
			if req.service > 300*time.Millisecond {
				late++
			}
		}
		if mean := sum / float64(len(all)); math.Abs(mean-0.1) > 0.3/math.Sqrt(float64(len(all))) {
			t.Errorf("%s: service takes %.4f s on average", name, mean)
		}
		if share := float64(late) / float64(len(all)); len(all) > 10000 && math.Abs(share-0.0072) > 0.0025 {
			t.Errorf("%s: the service of %.2f %% is over 300 ms, want about 0.72 %%", name, 100*share)
		}
	}
}

func TestABatchComesAtOneInstant(t *testing.T) {
	counts := map[time.Duration]int{}
	for _, req := range drawn(t, fromWorkload(t, "batch", time.Minute), 1) {
		counts[req.at]++
	}
	for at := 5 * time.Second; at < time.Minute; at += 5 * time.Second {
		if counts[at] != 10 {
			t.Errorf("%d at %v", counts[at], at)
		}
	}
}

func TestAllPoliciesMeetTheSameRequests(t *testing.T) {
	l := fromWorkload(t, "spike", 3*time.Minute)
	if !slices.Equal(drawn(t, l, 5), drawn(t, l, 5)) {
		t.Error("two readings of one load differ")
	}
	if slices.Equal(drawn(t, l, 5), drawn(t, l, 6)) {
		t.Error("two seeds give the same load")
	}
}

func TestATraceKeepsItsTimesAndDurationsAndGetsThoseItLacks(t *testing.T) {
	all := drawn(t, fromTrace(t, "t,duration_ms,kind\n0.5,18,x\n1.25,2.5,y\n", nil), 1)
	want := []request{{500 * time.Millisecond, 18 * time.Millisecond, "*"}, {1250 * time.Millisecond, 2500 * time.Microsecond, "*"}}
	if !slices.Equal(all, want) {
		t.Errorf("%v, want %v", all, want)
	}
	sum := time.Duration(0)
	text := "t\n"
	for i := range 4000 {
		text += fmt.Sprintf("%d\n", i)
	}
	for _, req := range drawn(t, fromTrace(t, text, nil), 1) {
		sum += req.service
	}
	if mean := sum / 4000; mean < 96*time.Millisecond || mean > 104*time.Millisecond {
		t.Errorf("service takes %v on average, want about 100 ms", mean)
	}
}

func TestALoadIsAsLongAsItsLastSecond(t *testing.T) {
	path := file(t, "t\n0\n1.5\n2.5\n3.0\n")
	for cut, want := range map[time.Duration]struct {
		length   time.Duration
		requests int
	}{
		0: {4 * time.Second, 4}, time.Hour: {4 * time.Second, 4}, 2 * time.Second: {2 * time.Second, 2}, 2500 * time.Millisecond: {3 * time.Second, 2},
		3 * time.Second: {3 * time.Second, 3}, time.Nanosecond: {time.Second, 1},
	} {
		l, err := FromTrace(path, cut, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(drawn(t, l, 1)); l.Length != want.length || n != want.requests {
			t.Errorf("cut at %v: %d requests in %v, want %d in %v", cut, n, l.Length, want.requests, want.length)
		}
	}
	if l := fromWorkload(t, "steady", 1500*time.Millisecond); l.Length != 2*time.Second {
		t.Errorf("a workload of 1.5 s lasts %v", l.Length)
	}
	if l := fromWorkload(t, "steady", 0); l.Length != DefaultLength {
		t.Errorf("a workload lasts %v", l.Length)
	}
}

func TestWhatIsWrongWithALoadIsOneSentence(t *testing.T) {
	two := []config.Pool{kind("p", nil, "a"), kind("q", nil, "b")}
	one := two[:1]
	for _, c := range []struct {
		text  string
		pools []config.Pool
		want  string
	}{
		{"", nil, "is empty"},
		{"time,what\n1,2\n", nil, "line 1: there is no column t"},
		{"t\n", nil, "no rows"},
		{"t\n1\n-2\n", nil, "line 3: t is \"-2\""},
		{"t\n2\n1\n", nil, "line 3: t is \"1\": it is before the row above"},
		{"t,duration_ms\n1,NaN\n", nil, "line 2: duration_ms is \"NaN\""},
		{"t,kind\n1,a\n2,c\n", two, "line 3: kind is \"c\": no pool has it; there are [\"a\" \"b\"]"},
		{"t\n1\n", two, "has no column kind, and there are several pools"},
	} {
		_, err := FromTrace(file(t, c.text), 0, c.pools)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	if _, err := FromTrace("/nowhere.csv", 0, nil); err == nil || !strings.Contains(err.Error(), "/nowhere.csv cannot be opened") {
		t.Errorf("%v", err)
	}
	if _, err := FromWorkload("zigzag", 0, nil); err == nil || !strings.Contains(err.Error(), "steady, step, ramp") {
		t.Errorf("%v", err)
	}
	if _, err := FromWorkload("steady", 0, two); err == nil || !strings.Contains(err.Error(), "several pools") {
		t.Errorf("%v", err)
	}
	if l, err := FromWorkload("steady", time.Second, one); err != nil || drawn(t, l, 1)[0].capability != "a" {
		t.Errorf("%v", err)
	}
}

func TestAKindGoesWhereTheBalancerWouldSendIt(t *testing.T) {
	pools := []config.Pool{kind("p", nil, "a"), kind("rest", nil, "*")}
	all := drawn(t, fromTrace(t, "t,kind\n1,a\n2,b/c\n", pools), 1)
	if all[0].capability != "a" || all[1].capability != "*" {
		t.Errorf("%v", all)
	}
}
