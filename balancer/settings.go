package balancer

import (
	"net/netip"
	"slices"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/probe"
)

// settings is a configuration, made ready for lookups. It is never changed, but for throttle.
type settings struct {
	*config.Config
	pools map[string]*poolSettings
	homes map[string]string // the pool that requests for a capability count in while nothing else is known

	announcers []netip.Prefix // who puts a PROXY header before a connection
	trusted    []netip.Prefix // proxies whose word about their clients is taken
	throttle   *throttle      // nil: no limit. It remembers clients
}

// poolSettings is what requests and probes need of one pool.
type poolSettings struct {
	config.Pool
	builtIn bool
	lo, hi  int // statuses that mean ready
	hash    string
	made    map[string]*poolSettings // of workers that an earlier configuration made, by its fingerprint
}

func newSettings(c *config.Config) *settings {
	s := &settings{Config: c, pools: map[string]*poolSettings{}, homes: map[string]string{}}
	s.announcers, s.trusted = config.Networks(c.ProxyProtocol.From), config.Networks(c.TrustedProxies)
	s.throttle = newThrottle(c.Limits.PerClient)
	for _, p := range c.Pools {
		ps := &poolSettings{Pool: p, builtIn: p.BuiltIn(), hash: p.Fingerprint()}
		ps.lo, ps.hi = p.Ready.StatusRange()
		s.pools[p.Name] = ps
	}
	specialists := slices.Clone(c.Pools) // the fleet's order: fewest capabilities first, then as configured
	slices.SortStableFunc(specialists, func(a, b config.Pool) int { return len(a.Capabilities) - len(b.Capabilities) })
	for _, p := range specialists {
		for _, capability := range p.Capabilities {
			if _, ok := s.homes[capability]; !ok {
				s.homes[capability] = p.Name
			}
		}
	}
	return s
}

// pool never yields nil: a worker can outlive its pool in the configuration.
func (s *settings) pool(name string) *poolSettings {
	if p, ok := s.pools[name]; ok {
		return p
	}
	return &poolSettings{Pool: config.Pool{Name: name, Timeout: 30 * time.Second, IdleTimeout: time.Minute}, lo: 200, hi: 499}
}

// remember keeps how workers that were made from earlier settings are spoken to: they stay what they are until they are replaced, and are started
// again when the change is taken back.
func (s *settings) remember(before *settings, there []*fleet.Worker) {
	used := map[string]bool{}
	for _, w := range there {
		used[w.Hash] = true
	}
	for name, was := range before.pools {
		ps := s.pools[name]
		if ps == nil {
			continue
		}
		ps.made = map[string]*poolSettings{}
		for hash, older := range was.made {
			if used[hash] { // others have no worker any more
				ps.made[hash] = older
			}
		}
		ps.made[was.hash] = was.alone()
		delete(ps.made, ps.hash) // as it is now counts
	}
}

// alone remembers nothing itself.
func (p *poolSettings) alone() *poolSettings {
	out := *p
	out.made = nil
	return &out
}

// of is what holds for a worker that was made from what the pool was like then.
func (p *poolSettings) of(w *fleet.Worker) *poolSettings {
	if was := p.made[w.Hash]; was != nil {
		return was
	}
	return p
}

// target is how a ready worker is probed. Only workers we started were issued an identity.
func (s *settings) target(w *fleet.Worker) probe.Target {
	if w.Origin == fleet.Registered {
		return probe.Target{Address: w.Address}
	}
	p := s.pool(w.Pool).of(w)
	t := probe.Target{Address: w.Address, Path: p.Ready.Path, Lo: p.lo, Hi: p.hi}
	if w.Origin.Ours() && (p.Ready.Identity == "required" || p.Ready.Identity != "off" && p.builtIn) {
		t.Identity = w.Generation
	}
	return t
}
