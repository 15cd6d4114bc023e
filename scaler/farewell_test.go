package scaler

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
)

// farewell ends the loop and returns how long that took.
func (b *bench) farewell() time.Duration {
	b.t.Helper()
	began := time.Now()
	b.cancel()
	<-b.ended
	return time.Since(began)
}

func (b *bench) forsook(workers int, is error) {
	b.t.Helper()
	got := b.scaler.Forsaken()
	if got.Workers != workers || !errors.Is(got.Err, is) || (is == nil) != (got.Err == nil) {
		b.t.Errorf("it says that it left %d workers for %v, want %d for %v", got.Workers, got.Err, workers, is)
	}
}

func TestTheEndDoesNotWaitLongForAnEngineThatIsAway(t *testing.T) {
	for what, c := range map[string]struct {
		away          time.Duration // before the end
		atLeast, most time.Duration
	}{
		"it went just now":     {0, farewellTime, farewellTime + farewellLook},
		"it has been for long": {time.Minute, 0, farewellLook},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
				b.run()
				b.pass(5 * time.Second)
				b.driver.SetDown(errAway)
				b.pass(c.away)
				if took := b.farewell(); took < c.atLeast || took > c.most {
					t.Errorf("the end took %v", took)
				}
				b.forsook(3, errAway)
			})
		})
	}
}

// A frozen engine says nothing, not even that it is not there.
func TestTheEndDoesNotWaitLongForAnEngineThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		release := b.driver.Hang("list", "stop", "inspect")
		if took := b.farewell(); took < farewellTime || took > farewellTime+farewellLook {
			t.Errorf("the end took %v", took)
		}
		if got := b.scaler.Forsaken(); got.Workers != 3 || got.Err == nil {
			t.Errorf("it says that it left %d workers for %v", got.Workers, got.Err)
		}
		release()
	})
}

func TestAnEngineThatComesBackDuringTheEndGetsItsWorkersRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		b.driver.SetDown(errAway)
		time.AfterFunc(farewellTime-2*time.Second, func() { b.driver.SetDown(nil) })
		b.end()
		b.forsook(0, nil)
	})
}

// Such an engine lists nothing for long, but it answers when it is told to remove.
func TestTheEndWaitsForAnEngineThatIsSlowToListAndRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return drivertest.Plan{StopDelay: stopGrace} }}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		for range 3 * 5 {
			b.driver.FailNext("stop", errors.New("device or resource busy"))
		}
		defer b.driver.Hang("list")()
		began := time.Now()
		b.end()
		if took := time.Since(began); took < farewellTime {
			t.Errorf("the end took %v: the test shows nothing", took)
		}
		b.forsook(0, nil)
	})
}

func TestTheEndTriesAWorkerThatWillNotGoAsLongAsTheEngineAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		for range 5 {
			b.driver.FailNext("stop", errors.New("device or resource busy"))
		}
		b.end()
		b.forsook(0, nil)
	})
}
