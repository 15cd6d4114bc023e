package client

import (
	"math"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
	"time"
)

// times is a set of latencies over all magnitudes, for testing/quick.
type times []time.Duration

func (times) Generate(r *rand.Rand, size int) reflect.Value {
	ts := make(times, 1+r.Intn(20*size+1))
	for i := range ts {
		ts[i] = time.Duration(1000 * math.Exp(r.Float64()*math.Log(3.6e9))) // 1 µs to 1 h
	}
	return reflect.ValueOf(ts)
}

func TestPercentilesAreWithinOnePercentOfTheTruth(t *testing.T) {
	property(t, func(ts times) bool {
		var h histogram
		for _, d := range ts {
			h.record(d)
		}
		slices.Sort(ts)
		for _, p := range []float64{50, 90, 95, 99, 99.9} {
			truth := ts[min(max(int(p/100*float64(len(ts))+0.5), 1), len(ts))-1]
			if got := h.at(p); math.Abs(float64(got-truth)) > 0.01*float64(truth)+1000 {
				t.Logf("p%v of %d: %v, the truth is %v", p, len(ts), got, truth)
				return false
			}
		}
		return h.latency().Max == milliseconds(ts[len(ts)-1])
	})
}

func TestAddingHistogramsIsRecordingBoth(t *testing.T) {
	same := func(a, b times) bool {
		var ha, hb, both histogram
		for _, d := range a {
			ha.record(d)
			both.record(d)
		}
		for _, d := range b {
			hb.record(d)
			both.record(d)
		}
		ha.add(&hb)
		x, y := ha.latency(), both.latency()
		x.Mean, y.Mean = math.Round(x.Mean), math.Round(y.Mean) // floats add up in another order
		return x == y && ha.n == both.n
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 40}); err != nil {
		t.Error(err)
	}
}

func TestAHistogramHasItsEdges(t *testing.T) {
	var h histogram
	if h.latency() != (Latency{}) || h.at(99) != 0 {
		t.Error("nothing recorded is not zero")
	}
	h.reset()
	h.record(-time.Second) // a clock that went backwards
	if l := h.latency(); l != (Latency{}) || h.n != 1 {
		t.Errorf("%+v", l)
	}
	h.record(3 * time.Hour)
	if l := h.latency(); l.Max != 3*3600*1000 || l.P99 < 3600*1000 || l.P99 > 1.01*3600*1000 {
		t.Errorf("%+v", l)
	}
	h.reset()
	if h.latency() != (Latency{}) || h.n != 0 {
		t.Error("it remembers what it was told to forget")
	}
}
