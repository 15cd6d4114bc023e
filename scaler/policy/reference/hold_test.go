package reference

import (
	"math/rand/v2"
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestAPeakIsHeldForThirtySeconds(t *testing.T) {
	v := looking(func(c *policy.Config, _ *policy.Snapshot) { c.Min = 2 })
	v.mem.needs = peak{}
	steps := []struct {
		at         time.Duration
		need, want int
	}{{0, 3, 3}, {time.Second, 9, 9}, {2 * time.Second, 4, 9}, {31 * time.Second, 1, 9}, {32 * time.Second, 1, 4}, {33 * time.Second, 1, 2}, {time.Hour, 1, 2}}
	for _, s := range steps {
		v.now = time.Hour + s.at
		if got := v.hold(s.need); got != s.want {
			t.Errorf("after %v a need of %d is held at %d, want %d", s.at, s.need, got, s.want)
		}
	}
}

func TestAPeakAgreesWithItsHistory(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		var p peak
		noted := map[int64]int{}
		now := time.Duration(0)
		for range 100 {
			now += time.Duration(r.Int64N(int64(3 * time.Second)))
			if r.IntN(20) == 0 {
				now += time.Duration(r.Int64N(int64(2 * time.Minute)))
			}
			n, slot := r.IntN(50), int64(now/time.Second)
			p.note(now, time.Second, n)
			noted[slot] = max(noted[slot], n)
			want := 0
			for k := slot - peakSlots + 1; k <= slot; k++ {
				want = max(want, noted[k])
			}
			if got := p.greatest(); got != want {
				t.Fatalf("seed %d at %v: greatest %d, want %d", seed, now, got, want)
			}
		}
	}
}

func TestAdoptedWorkersCountAsANeedJustPassed(t *testing.T) {
	v := looking(func(_ *policy.Config, in *policy.Snapshot) {
		in.Active, in.Spare, in.Begun = 5, 2, make([]time.Duration, 1)
	})
	if got := v.hold(1); got != 7 {
		t.Errorf("with 8 adopted, one of them the spare, %d are held, want 7", got)
	}
}
