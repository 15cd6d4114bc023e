package scaler

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// byAddress is a bench whose workers have no port of the host.
func byAddress(t *testing.T, pools ...config.Pool) *bench {
	t.Helper()
	b := newBench(t, startDelay(100*time.Millisecond), pools...)
	b.cfg.Publish = "network"
	return b
}

func TestWorkersReachedByAddressHoldNoPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := byAddress(t, pool("mult", nil))
		b.run()
		b.pass(2 * time.Second)
		b.want("mult", 1, 1)
		if s := b.ports.Status(); s.Leased != 0 || len(s.Quarantined) != 0 {
			t.Errorf("ports: %+v", s)
		}
		seen := map[string]bool{}
		for _, w := range b.fleet.Status()[0].Workers {
			if w.Port != 0 || !strings.HasPrefix(w.Address, "http://10.0.0.") || seen[w.Address] {
				t.Errorf("worker %s has port %d and address %q", w.ID, w.Port, w.Address)
			}
			seen[w.Address] = true
		}
		for _, c := range b.driver.Calls("start") {
			if c.Spec.Publish != driver.PublishNetwork || c.Spec.HostPort != 0 {
				t.Errorf("the driver is told to publish %q at port %d", c.Spec.Publish, c.Spec.HostPort)
			}
		}
		b.end()
	})
}

// One address has one owner, even while nobody can see that the one before has ended.
func TestAnAddressThatGoesToAnotherWorkerFailsTheOneThatHadIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 2}; p.Ready.Identity = "off" }
		b := byAddress(t, pool("mult", one), pool("add", one))
		b.run()
		b.pass(2 * time.Second)
		victim := b.fleet.Status()[0].Workers[0]
		b.driver.FailNext("inspect", errors.New("no answer"))
		b.driver.Kill(victim.ID, 1)
		b.pass(0)
		if got := b.states("mult"); got[fleet.Active] != 1 {
			t.Errorf("the end was seen all the same: %v", got)
		}
		next := *b.cfg
		next.Pools = []config.Pool{b.cfg.Pools[0], pool("add", func(p *config.Pool) { one(p); p.Workers.Min = 2 })}
		b.scaler.Reload(t.Context(), &next)
		b.pass(2 * time.Second)
		if again := b.driver.Calls("start")[2]; again.Spec.Pool != "add" {
			t.Errorf("the next to start is of pool %s: the test needs another one", again.Spec.Pool)
		}
		owners := map[string]string{}
		for _, p := range b.fleet.Status() {
			for _, w := range p.Workers {
				if w.ID == victim.ID {
					t.Errorf("the dead worker is still there, as %s", w.State)
				}
				if other := owners[w.Address]; other != "" {
					t.Errorf("%s has two owners, %s and %s", w.Address, other, w.ID)
				}
				owners[w.Address] = w.ID
			}
		}
		b.want("mult", 1, 0)
		b.want("add", 2, 0)
		b.end()
	})
}

// A worker that knows nothing of identities must still be where it was started when it has answered.
func TestAWorkerWhoseAddressChangedDuringItsStartIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := byAddress(t)
		id := b.driver.Place(driver.Instance{Worker: "w", Running: true, Address: "http://10.0.0.9:8080"})
		if err := b.scaler.stillOurs(t.Context(), driver.Instance{ID: id, Address: "http://10.0.0.9:8080"}); err != nil {
			t.Errorf("it is refused where it was: %v", err)
		}
		err := b.scaler.stillOurs(t.Context(), driver.Instance{ID: id, Address: "http://10.0.0.8:8080"})
		if err == nil || !strings.Contains(err.Error(), "10.0.0.9:8080 instead of http://10.0.0.8:8080") {
			t.Errorf("it is taken where it was not: %v", err)
		}
	})
}

func TestWorkersAreAdoptedByTheirAddressWhateverTheyWereStartedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 2, Max: 3} }))
		for _, inst := range []driver.Instance{
			{Worker: "bare", Address: "http://10.0.0.2:8080"},
			{Worker: "published", Address: "http://127.0.0.1:20003", HostPort: 20003},
			{Worker: "nowhere"},
		} {
			inst.Pool, inst.Generation, inst.Running = "mult", "g-"+inst.Worker, true
			b.driver.Place(inst)
		}
		b.run()
		b.pass(time.Second)
		var have []string
		for _, w := range b.fleet.Status()[0].Workers {
			have = append(have, w.ID)
		}
		if len(have) != 2 || has(have, "nowhere") || b.ports.Status().Leased != 1 {
			t.Errorf("workers %v, ports %+v", have, b.ports.Status())
		}
		b.end()
	})
}

func has(list []string, s string) bool { return strings.Contains(strings.Join(list, " "), s) }
