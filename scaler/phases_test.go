package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// phaseRecorder keeps the parts of starts it is told.
type phaseRecorder struct {
	silent
	told map[string]time.Duration // by pool and phase
}

func (r phaseRecorder) StartPhase(pool, phase string, took time.Duration) {
	r.told[pool+" "+phase] += took
}

func TestThePartsOfAStartAddUpToTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := func(driver.Spec) drivertest.Plan {
			return drivertest.Plan{CreateDelay: 100 * time.Millisecond, StartDelay: 250 * time.Millisecond}
		}
		b := newBench(t, drivertest.FakeOptions{Plan: plan}, pool("mult", func(p *config.Pool) { p.Workers.Spare = 0 }))
		recorder := phaseRecorder{told: map[string]time.Duration{}}
		b.scaler.Recorder = recorder
		answers := time.Now().Add(430 * time.Millisecond)
		b.prober.deaf = func(driver.Instance) bool { return time.Now().Before(answers) }
		b.run()
		b.pass(3 * time.Second)
		w := b.fleet.Status()[0].Workers[0]
		want := fleet.Phases{Create: 100 * time.Millisecond, Start: 250 * time.Millisecond, Ready: 80 * time.Millisecond}
		if w.Phases != want || w.Ready != 430*time.Millisecond {
			t.Errorf("%+v of %s, want %+v", w.Phases, w.Ready, want)
		}
		for phase, took := range map[string]time.Duration{"create": want.Create, "start": want.Start, "ready": want.Ready} {
			if got := recorder.told["mult "+phase]; got != took {
				t.Errorf("%s is recorded as %s, want %s", phase, got, took)
			}
		}
		b.end()
	})
}
