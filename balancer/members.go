package balancer

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/probe"
)

// membersTick is how often members that are not there are asked whether they are back.
const membersTick = time.Second

// Members keeps the fixed members of the configuration: one that answers joins its pool, each time as a new generation; Health takes it out
// when it stops. A pool that has nothing but members and none that answers is unavailable, and says why.
type Members struct {
	b      *Balancer
	prober Prober
	later  bool // the first round is over. Those it finds were there before us, and need no ramp. Of the loop alone
}

func newMembers(b *Balancer, p Prober) *Members { return &Members{b: b, prober: p} }

// member is one line of the configuration.
type member struct {
	pool    config.Pool
	address string
	target  probe.Target
}

// id is the same each time the member comes back, and fit for a path and a label.
func (m member) id() string {
	where := m.address
	if u, err := url.Parse(m.address); err == nil && u.Host != "" {
		where = u.Host + strings.TrimRight(u.Path, "/")
	}
	return m.pool.Name + "-" + strings.NewReplacer("[", "", "]", "", "/", "_").Replace(where)
}

// Run looks after the members until ctx ends. Call it once.
func (m *Members) Run(ctx context.Context) {
	ticker := time.NewTicker(membersTick)
	defer ticker.Stop()
	for {
		m.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// round asks those that are not there, and lets those go that the configuration no longer names.
func (m *Members) round(ctx context.Context) {
	wanted := m.wanted()
	causes := m.ask(ctx, wanted)
	m.later = true
	if ctx.Err() != nil {
		return
	}
	m.dropUnwanted(wanted)
	for _, p := range m.b.settings.Load().Pools {
		if p.MembersOnly() {
			m.b.fleet.SetUnavailable(p.Name, m.why(p, wanted, causes))
		}
	}
}

func (m *Members) wanted() map[string]member {
	wanted := map[string]member{}
	for _, p := range m.b.settings.Load().pools {
		for _, address := range p.Members {
			one := member{p.Pool, address, probe.Target{Address: address, Path: p.Ready.Path, Lo: p.lo, Hi: p.hi}}
			wanted[one.id()] = one
		}
	}
	return wanted
}

// ask probes the members that are not in the fleet, and adds those that answer. It yields why the others did not.
func (m *Members) ask(ctx context.Context, wanted map[string]member) map[string]error {
	var mu sync.Mutex
	causes := map[string]error{}
	var wg sync.WaitGroup
	places := make(chan struct{}, probesAtOnce)
	for id, one := range wanted {
		if _, _, ok := m.b.fleet.Worker(id); ok {
			continue
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if err := m.join(ctx, id, one); err != nil {
				mu.Lock()
				defer mu.Unlock()
				causes[id] = err
			}
		})
	}
	wg.Wait()
	return causes
}

// join adds a member that answers.
func (m *Members) join(ctx context.Context, id string, one member) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := m.prober.Check(ctx, one.target); err != nil {
		return err
	}
	_, err := m.b.fleet.Add(fleet.Info{
		ID: id, Pool: one.pool.Name, Address: one.address, Generation: rand.Text(), Concurrency: one.pool.Concurrency, Origin: fleet.Member, Warm: !m.later,
	})
	if err != nil {
		return err
	}
	m.b.fleet.Ready(id, one.address, 0)
	m.b.log.Info("member joined", slog.String("pool", one.pool.Name), slog.String("worker", id))
	return nil
}

// dropUnwanted drains members that are no longer configured, and removes those that have nothing left in flight.
func (m *Members) dropUnwanted(wanted map[string]member) {
	for _, w := range m.b.fleet.Workers() {
		if _, ok := wanted[w.ID]; ok || w.Origin != fleet.Member {
			continue
		}
		idle, err := m.b.fleet.Drain(w.ID, "no longer a member")
		if err != nil {
			continue // it failed: Health removes it
		}
		select {
		case <-idle:
			m.b.fleet.Remove(w.ID)
		default: // the next round looks again
		}
	}
}

// why is the reason for which no worker of a pool of members can be had; empty when one can.
func (m *Members) why(p config.Pool, wanted map[string]member, causes map[string]error) string {
	first := ""
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[id].pool.Name != p.Name {
			continue
		}
		cause, failed := causes[id]
		if !failed {
			return ""
		}
		if first == "" {
			first = cause.Error()
		}
	}
	return "no member answers: " + first
}
