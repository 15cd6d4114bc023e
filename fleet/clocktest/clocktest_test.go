package clocktest

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAClockThatIsSetShowsAnotherDateAndMeasuresOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		began, truly := c.Now(), time.Now()
		for _, by := range []time.Duration{time.Hour, -time.Hour, 0} {
			c.Set(by)
			<-time.After(time.Minute)
			now := c.Now()
			if got := now.Round(0).Sub(time.Now().Round(0)); got != by {
				t.Errorf("set by %v it shows a date %v ahead", by, got)
			}
			if now.Sub(began) != time.Since(truly) {
				t.Errorf("set by %v it measures %v instead of %v", by, now.Sub(began), time.Since(truly))
			}
		}
	})
}
