package balancer

import (
	"testing"

	"understudy/config"
	"understudy/fleet"
)

// Image and ready path change together: until they are replaced, and after that change was taken back, the old workers are asked where they answer.
func TestWorkersOfAnEarlierConfigurationAreProbedAsItSaid(t *testing.T) {
	made := func(image, path string) *config.Config {
		p := config.DefaultPool()
		p.Name, p.Image, p.Capabilities, p.Ready.Path = "web", image, []string{"web"}, path
		return &config.Config{Pools: []config.Pool{p}}
	}
	worker := func(c *config.Config) *fleet.Worker {
		return &fleet.Worker{Info: fleet.Info{ID: c.Pools[0].Image, Pool: "web", Hash: c.Pools[0].Fingerprint(), Generation: "g", Origin: fleet.Cold}}
	}
	one, two, three := made("", "/one"), made("two", "/two"), made("three", "/three")
	old, newer, newest := worker(one), worker(two), worker(three)
	s := newSettings(one)
	for _, c := range []*config.Config{two, three, three} {
		next := newSettings(c)
		next.remember(s, []*fleet.Worker{old, newer, newest})
		s = next
	}
	for w, path := range map[*fleet.Worker]string{old: "/one", newer: "/two", newest: "/three"} {
		if got := s.target(w); got.Path != path || (got.Identity != "") != (w == old) {
			t.Errorf("the worker made from %q is probed at %s as %q", w.ID, got.Path, got.Identity)
		}
	}
	later := newSettings(made("three", "/moved"))
	later.remember(s, []*fleet.Worker{newer, newest})
	if got := later.target(newest).Path; got != "/moved" {
		t.Errorf("where only the path has changed it is probed at %s", got)
	}
	if n := len(later.pools["web"].made); n != 1 {
		t.Errorf("%d earlier configurations are remembered, want that of the one worker there is", n)
	}
}
