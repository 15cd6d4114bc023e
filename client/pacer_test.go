package client

import (
	"math"
	"math/rand"
	"reflect"
	"testing"
	"testing/quick"
	"time"
)

// anyPacer is a pacer of random shape, rate and length, for testing/quick.
type anyPacer struct {
	Pacer
	shape Shape
	rate  float64
	total time.Duration
}

func (anyPacer) Generate(r *rand.Rand, _ int) reflect.Value {
	shape := Shapes()[r.Intn(len(Shapes()))]
	rate := math.Exp(r.Float64()*math.Log(1e6)) / 10                                    // 0.1 to 100000 a second
	total := time.Duration(math.Exp(r.Float64()*math.Log(3600)) * float64(time.Second)) // 1 s to 1 h
	return reflect.ValueOf(anyPacer{NewPacer(shape, rate, total), shape, rate, total})
}

func property(t *testing.T, f any) {
	t.Helper()
	if err := quick.Check(f, &quick.Config{MaxCount: 200}); err != nil {
		t.Error(err)
	}
}

func TestNoShapeSendsEarlyOrLaterThanItMust(t *testing.T) {
	property(t, func(p anyPacer, k uint32) bool {
		n := 1 + int(float64(k)/math.MaxUint32*p.Hits(p.total)) // somewhere in the run, or just beyond
		at, ok := p.At(n)
		if !ok {
			return p.Hits(longest) < float64(n)
		}
		return p.Hits(at) >= float64(n) && p.Hits(at-1) < float64(n)
	})
}

func TestTheFirstRequestOfEveryShapeLeavesAtOnce(t *testing.T) {
	property(t, func(p anyPacer) bool {
		at, ok := p.At(0)
		return ok && at == 0
	})
}

func TestTheScheduleOfEveryShapeIsMonotone(t *testing.T) {
	property(t, func(p anyPacer, a, b uint32) bool {
		n, m := int(min(a, b)%1_000_000), int(max(a, b)%1_000_000)
		n, m = min(n, m), max(n, m)
		first, okFirst := p.At(n)
		second, okSecond := p.At(m)
		return !okSecond || okFirst && first <= second
	})
	property(t, func(p anyPacer, a, b uint32) bool {
		s, u := time.Duration(min(a, b))*time.Microsecond, time.Duration(max(a, b))*time.Microsecond
		return p.Hits(s) <= p.Hits(u)
	})
}

func TestTheIntegralOfTheRateIsTheNumberOfHits(t *testing.T) {
	property(t, func(p anyPacer) bool {
		const steps = 20_000
		var sum float64
		for i := range steps {
			sum += p.Rate(time.Duration((float64(i)+0.5)/steps*float64(p.total))) * p.total.Seconds() / steps
		}
		// A jump of the rate inside a step is off by at most rate x step; burst jumps twenty times.
		return math.Abs(sum-p.Hits(p.total)) <= 20*p.rate*p.total.Seconds()/steps+1e-9*sum
	})
}

func TestNoShapeExceedsTheRateAskedFor(t *testing.T) {
	property(t, func(p anyPacer, k uint32) bool {
		rate := p.Rate(time.Duration(float64(k) / math.MaxUint32 * float64(p.total)))
		return rate >= 0 && rate <= p.rate*(1+1e-9)
	})
}

func TestShapesHoldWhatTheirDescriptionSays(t *testing.T) {
	const rate, total = 100.0, 100 * time.Second
	for _, c := range []struct {
		shape Shape
		at    time.Duration
		rate  float64
		hits  float64
	}{
		{ShapeConstant, 0, 100, 0},
		{ShapeConstant, total, 100, 10_000},
		{ShapeStep, 9 * time.Second, 20, 180},
		{ShapeStep, 10 * time.Second, 100, 200},
		{ShapeStep, 39 * time.Second, 100, 3_100},
		{ShapeStep, 40 * time.Second, 20, 3_200},
		{ShapeStep, total, 20, 4_400},
		{ShapeRamp, 50 * time.Second, 50, 1_250},
		{ShapeRamp, total, 100, 5_000},
		{ShapeRamp, 2 * total, 100, 15_000},
		{ShapeSine, 0, 20, 0},
		{ShapeSine, total / 6, 100, 1_000},
		{ShapeSine, total, 20, 6_000},
		{ShapeSpike, 44 * time.Second, 10, 440},
		{ShapeSpike, 45 * time.Second, 100, 450},
		{ShapeSpike, 50 * time.Second, 10, 950},
		{ShapeBurst, time.Second, 100, 100},
		{ShapeBurst, 5 * time.Second, 0, 200},
		{ShapeBurst, 11 * time.Second, 100, 300},
		{ShapeBurst, total, 100, 2_000},
	} {
		p := NewPacer(c.shape, rate, total)
		if got := p.Rate(c.at); math.Abs(got-c.rate) > 1e-6 {
			t.Errorf("%s at %v: rate %v, want %v", c.shape, c.at, got, c.rate)
		}
		if got := p.Hits(c.at); math.Abs(got-c.hits) > 1e-3 {
			t.Errorf("%s at %v: %v hits, want %v", c.shape, c.at, got, c.hits)
		}
	}
}

func TestAScheduleThatStopsSaysSo(t *testing.T) {
	stops := Step{Low: 0, High: 10, Up: 0, Down: time.Second}
	if at, ok := stops.At(10); !ok || at != time.Second {
		t.Errorf("At(10) = %v, %v, want 1s", at, ok)
	}
	if at, ok := stops.At(11); ok {
		t.Errorf("At(11) = %v although only ten are ever sent", at)
	}
	if _, ok := stops.At(-1); ok {
		t.Error("there is no request before the first")
	}
}

func TestAShapeCanBeStretchedToHoldANumberOfRequests(t *testing.T) {
	property(t, func(p anyPacer, k uint16) bool {
		n := 1 + int(k)
		d := lastsFor(p.shape, p.rate, n)
		return d == maxDuration || math.Abs(NewPacer(p.shape, p.rate, d).Hits(d)-float64(n)) < 0.01*float64(n)
	})
}

func BenchmarkPacer(b *testing.B) {
	for _, s := range Shapes() {
		b.Run(string(s), func(b *testing.B) {
			p := NewPacer(s, 1000, time.Minute)
			n := 0
			for b.Loop() {
				p.At(n)
				n = (n + 1) % 12_000
			}
		})
	}
}
