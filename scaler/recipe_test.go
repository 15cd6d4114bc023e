package scaler

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
)

// prepares are the times from each preparation to the next, of those since the one of that number.
func (b *bench) prepares(from int) (gaps []time.Duration) {
	calls := b.driver.Calls("prepare")[from:]
	for i := range calls[1:] {
		gaps = append(gaps, calls[i+1].Began.Sub(calls[i].Began).Round(time.Second))
	}
	return gaps
}

// adopting is a pool of one worker, which was made otherwise than it is made now, so that there is nothing known to work.
func adopting(t *testing.T, prepare ...error) *bench {
	t.Helper()
	gone := drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return drivertest.Plan{StartErr: driver.ErrImageMissing} }}
	b := newBench(t, gone, pool("mult", func(p *config.Pool) { p.Workers.Min, p.Workers.Max, p.Workers.Spare = 1, 1, 0 }))
	old := placed("old", 20000)
	old.Hash = "otherwise"
	b.driver.Place(old)
	b.driver.FailNext("prepare", prepare...)
	b.run()
	return b
}

func TestAnImageThatIsRefusedIsAskedForLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := adopting(t, slices.Repeat([]error{fmt.Errorf("denied: %w", driver.ErrImageMissing)}, 1000)...)
		b.pass(time.Hour)
		first := b.prepares(0)
		want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 300 * time.Second, 300 * time.Second}
		if len(first) < len(want) || !slices.Equal(first[:len(want)], want) || len(first) > 17 {
			t.Errorf("in an hour it is prepared after %v", first)
		}
		b.want("mult", 1, 0)
		if n := len(b.driver.Calls("start")); n != 0 {
			t.Errorf("%d starts from what is not there", n)
		}
		b.reload(func(*config.Pool) {}) // whoever has put things right need not wait
		b.pass(35 * time.Second)
		if again := b.prepares(len(first) + 1); len(again) != 2 || again[0] != want[0] || again[1] != want[1] {
			t.Errorf("after a reload it is prepared after %v", again)
		}
		b.end()
	})
}

func TestAnEngineThatIsAwayIsAskedForAnImageAsOftenAsEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := adopting(t, slices.Repeat([]error{errAway}, 1000)...)
		b.pass(10*time.Minute + time.Second)
		gaps := b.prepares(0)
		if len(gaps) != 60 || slices.Max(gaps) != prepareRetry || slices.Min(gaps) != prepareRetry {
			t.Errorf("in ten minutes it is prepared after %v", gaps)
		}
		b.end()
	})
}

func TestAPoolThatHasNoWorkerAndNoImageIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := fmt.Errorf("denied: %w", driver.ErrImageMissing)
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return drivertest.Plan{StartErr: refused} }}, pool("mult", nil))
		b.driver.FailNext("prepare", slices.Repeat([]error{refused}, 1000)...)
		b.run()
		b.pass(time.Hour)
		if n := len(b.driver.Calls("prepare", "start")); n < 30 || n > 80 { // its starts pull, and once a minute is the least often
			t.Errorf("in an hour there are %d preparations and starts", n)
		}
		b.end()
	})
}
