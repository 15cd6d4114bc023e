package scaler

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
)

// Somebody who removes all images and then brings one back under its name must not find the pool waiting for an id that nobody can bring back.
func TestAPoolWhoseImageIsGoneAfterARollBackLooksForItByNameAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tag, was, is = "shop/web:1", "sha256:shop/web:1", "sha256:back"
		var removed atomic.Bool
		b := rolled(t, drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
			if removed.Load() && (s.Image == was || s.Image == tag) {
				return drivertest.Plan{StartErr: fmt.Errorf("image %s is not here: %w", s.Image, driver.ErrImageMissing)}
			}
			return drivertest.Plan{StartDelay: 500 * time.Millisecond}
		}}, func(p *config.Pool) { p.Image = tag })
		b.driver.Retag(tag, "sha256:new")
		removed.Store(true)
		b.reload(func(*config.Pool) {})
		b.pass(10 * time.Second)
		b.wantRollout("mult", stateRolledBack, 0, 3, 0)
		for _, inst := range b.driver.Workers() {
			b.driver.Vanish(inst.Worker)
		}
		b.pass(10 * time.Second)
		if got := b.fleet.Status()[0].Unavailable; !strings.Contains(got, "image "+tag) {
			t.Errorf("unavailable because of %q, want it to name what can be brought back", got)
		}
		if said := strings.Join(b.notes(), "\n"); strings.Count(said, imageGone) != 1 {
			t.Errorf("the journal says %q", said)
		}
		b.driver.Retag(tag, is)
		removed.Store(false)
		b.pass(2 * time.Minute)
		b.want("mult", 2, 1)
		for _, inst := range b.driver.Workers() {
			if inst.Image != is {
				t.Errorf("worker %s is made from %s, want %s", inst.Worker, inst.Image, is)
			}
		}
		b.end()
	})
}
