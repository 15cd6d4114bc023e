package meter

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// change is one Set, for the slow and obvious level the real one is compared with.
type change struct {
	at    time.Duration
	level int
}

// held calls f with every level held for some time in [from, to].
func held(changes []change, from, to time.Duration, f func(level int, d time.Duration)) {
	for i, c := range changes {
		end := to
		if i+1 < len(changes) {
			end = min(end, changes[i+1].at)
		}
		if begin := max(c.at, from); end > begin {
			f(c.level, end-begin)
		}
	}
}

func TestALevelAgreesWithItsHistory(t *testing.T) {
	const width, slots = 100 * time.Millisecond, 9
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		l, now := NewLevel(slots, width), time.Duration(0)
		var changes []change
		for range 100 {
			now += someGap(r, width, slots)
			if r.IntN(3) > 0 {
				c := change{now, r.IntN(6)}
				changes = append(changes, c)
				l.Set(c.at, c.level)
			}
			compare(t, l, changes, now, time.Duration(r.Int64N(int64(2*slots*width))))
			if t.Failed() {
				t.Fatalf("seed %d at %v", seed, now)
			}
		}
	}
}

func compare(t *testing.T, l *Level, changes []change, now, window time.Duration) {
	t.Helper()
	const width, slots = 100 * time.Millisecond, 9
	oldest := max(now/width-slots+1, 0) * width
	if len(changes) == 0 {
		if l.Integral(now, window) != 0 || l.Mean(now, window) != 0 || l.Min(now, window) != 0 {
			t.Error("a level that was never set is not 0")
		}
		return
	}
	current := changes[len(changes)-1].level
	begin := min(max(now-window, oldest, changes[0].at), now)
	var want time.Duration
	held(changes, begin, now, func(level int, d time.Duration) { want += time.Duration(level) * d })
	got := l.Integral(now, window)
	if off := (got - want).Abs(); off > 5*width { // one slot is shared out in proportion
		t.Errorf("integral over %v is %v, want %v", window, got, want)
	}
	if aligned := begin%width == 0 || begin == changes[0].at; aligned && got != want {
		t.Errorf("integral over the aligned window %v is %v, want exactly %v", window, got, want)
	}
	mean := float64(current)
	if now > begin {
		mean = float64(got) / float64(now-begin)
	}
	if m := l.Mean(now, window); math.Abs(m-mean) > 1e-9 {
		t.Errorf("mean over %v is %v, want %v", window, m, mean)
	}
	edge := min(max((now-window+width/2)/width*width, oldest, 0), now/width*width)
	least := current
	held(changes, edge, now, func(level int, _ time.Duration) { least = min(least, level) })
	if m := l.Min(now, window); m != least {
		t.Errorf("least over %v is %d, want %d", window, m, least)
	}
}

func TestALevelLeftInTheSameInstantWasNotHeld(t *testing.T) {
	l := NewLevel(10, 100*time.Millisecond)
	l.Set(0, 3)
	l.Set(time.Second, 0)
	l.Set(time.Second, 3)
	if got := l.Min(1100*time.Millisecond, 500*time.Millisecond); got != 3 {
		t.Errorf("least %d, want 3: 0 was held for no time", got)
	}
	l.Set(1200*time.Millisecond, 0)
	if got := l.Min(1200*time.Millisecond, 500*time.Millisecond); got != 0 {
		t.Errorf("least %d, want the 0 that holds now", got)
	}
}

func TestAMeanDoesNotCountTheTimeBeforeTheFirstSet(t *testing.T) {
	l := NewLevel(400, 100*time.Millisecond)
	l.Set(1000*time.Second, 4)
	if got := l.Mean(1002*time.Second, 30*time.Second); got != 4 {
		t.Errorf("mean %v, want 4", got)
	}
	if got := l.Integral(1002*time.Second, 30*time.Second); got != 8*time.Second {
		t.Errorf("integral %v, want 8s", got)
	}
}
