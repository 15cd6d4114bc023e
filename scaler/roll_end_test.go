package scaler

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
)

// One new worker was there before a start failed, the one started after that is no longer needed: nobody is left who could show by lasting since
// the failure that the change works, and nobody will be started.
func TestAChangeEndsThoughOnlyAWorkerFromBeforeAFailureIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), func(p *config.Pool) { p.Workers.Spare, p.Workers.SpareMax = 0, 0 })
		b.reload(env("V=new"))
		b.pass(time.Second)
		b.driver.FailNext("start", errors.New("not now"))
		b.pass(7 * time.Second)
		b.wantMade("new", 2)
		b.reload(func(p *config.Pool) { p.Workers.Min = 1 })
		var last *fleet.Worker
		for _, w := range b.fleet.Workers(fleet.Active) {
			if last == nil || w.ID > last.ID {
				last = w
			}
		}
		if _, err := b.fleet.Drain(last.ID, "by request"); err != nil {
			t.Fatal(err)
		}
		b.pass(2 * time.Second)
		b.wantMade("new", 1)
		b.wantRollout("mult", stateRolling, 2, 2, 0)
		b.pass(30 * time.Second)
		b.wantMade("new", 1)
		b.wantRollout("mult", stateDone, 2, 2, 0)
		b.end()
	})
}
