package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver/drivertest"
)

// An engine that restarts ends workers that were made a moment ago, each time; it is not them who did not last.
func TestWorkersThatEndWithTheirEngineAreNotBlamedOnTheirPool(t *testing.T) {
	for name, endsFirst := range map[string]bool{"the workers first": true, "the engine first": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, startDelay(100*time.Millisecond), pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 6, Max: 6} }))
				b.run()
				b.pass(3 * time.Second)
				for range 3 {
					b.want("mult", 6, 0)
					before := len(b.driver.Calls("start"))
					b.engineEnds(endsFirst)
					b.pass(listEvery)
					b.driver.SetDown(nil)
					b.pass(awayMax + 3*time.Second)
					b.want("mult", 6, 0)
					if n := len(b.driver.Calls("start")) - before; n > 6+maxParallelStarts {
						t.Errorf("%d starts for 6 workers", n)
					}
					if trouble, is := b.scaler.Trouble("mult"); is {
						t.Errorf("the pool is in trouble: %+v", trouble)
					}
				}
				b.end()
			})
		})
	}
}

// engineEnds takes the workers and the engine away, in either order.
func (b *bench) engineEnds(workersFirst bool) {
	end := func() {
		for _, inst := range b.driver.Workers() {
			b.driver.Kill(inst.Worker, 0)
		}
	}
	if workersFirst {
		end()
		b.pass(300 * time.Millisecond)
	}
	b.driver.SetDown(errAway)
	b.lose()
	b.pass(0)
	if !workersFirst {
		end()
	}
}

// What breaks after the engine is back is the worker's own doing again.
func TestAfterAnEngineCameBackAWorkerThatDoesNotLastIsBlamedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		b.engineEnds(true)
		b.pass(listEvery)
		b.driver.SetDown(nil)
		for b.scaler.Engine().Away {
			b.pass(100 * time.Millisecond)
		}
		b.pass(2 * time.Second)
		b.want("mult", 2, 1)
		b.driver.Kill(b.driver.Workers()[0].Worker, 3)
		b.pass(100 * time.Millisecond)
		if trouble, is := b.scaler.Trouble("mult"); !is || trouble.Fails != 1 {
			t.Errorf("after a worker died soon: %+v, %v", trouble, is)
		}
		b.end()
	})
}
