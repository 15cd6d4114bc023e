//go:build long

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const chaosUsual = 6 // loops in the default tests, each of another kind

// The figure: a balancer under load is killed at a random moment, again and again, and started again. Each time every container of the instance is
// adopted or removed, no port has two owners, the count returns to the target, and nobody else's containers are touched. In the end nothing is left.
func TestABalancerThatIsKilledAgainAndAgainLosesNothingAndLeavesNothing(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	loops, seed := chaosNumber(t, "LOOPS", chaosUsual), uint64(chaosNumber(t, "SEED", time.Now().UnixNano()%1_000_000))
	t.Logf("%d loops with SEED=%d", loops, seed)
	c := newChaos(t, rand.New(rand.NewPCG(seed, 0)))
	c.startForeign()
	defer c.ride()()
	kinds := mishaps()
	order := c.random.Perm(len(kinds))
	for i := range int(loops) {
		m := kinds[order[i%len(order)]]
		c.loop(i, m)
		if t.Failed() {
			t.Fatalf("in loop %d, %s, SEED=%d", i, m.name, seed)
		}
	}
	c.finish()
	c.report()
}

func chaosNumber(t *testing.T, key string, usual int64) int64 {
	t.Helper()
	text := os.Getenv(key)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: it must be a whole number, 1 or more", key, text)
	}
	return n
}

// loop lets one mishap happen to a balancer that is well, and waits until it, or another in its place, is well again.
func (c *chaos) loop(i int, m mishap) {
	c.t.Helper()
	if len(c.balancers()) == 0 {
		c.launch()
	}
	c.settle(m.name + ": before")
	c.load.Store(int32(1 + c.random.IntN(12)))
	m.happen(c)
	c.figures.loops++
	c.figures.kinds[m.name]++
	if !c.survives() {
		c.killAll()
		c.launch()
	}
	c.firstAnswer()
	c.load.Store(0)
	c.settle(m.name)
	if os.Getenv("LOOPS") != "" && i%10 == 9 {
		c.t.Logf("%d loops: %s", i+1, &c.figures)
	}
}

// chaosFigures are what is printed in the end.
type chaosFigures struct {
	loops          int
	kinds          map[string]int
	answers        []time.Duration // from exec to the first answer
	settled        []time.Duration // from the first answer until every container is accounted for and the target reached
	adopted, fresh int             // workers after a start, by where they came from
}

func (f *chaosFigures) String() string {
	return fmt.Sprintf("first answer after a start: median %v, longest %v; all accounted for: median %v, longest %v; %d workers adopted, %d new",
		quantile(f.answers, 0.5), quantile(f.answers, 1), quantile(f.settled, 0.5), quantile(f.settled, 1), f.adopted, f.fresh)
}

func (c *chaos) report() {
	var kinds []string
	for _, m := range mishaps() {
		kinds = append(kinds, fmt.Sprintf("%d %s", c.figures.kinds[m.name], m.name))
	}
	c.t.Logf("%d loops (%s): %s; %d requests answered, %d not; left in the end: 0 containers, 0 networks, 0 docker-proxies, 0 ports, 0 guards, 0 locks, 0 files",
		c.figures.loops, strings.Join(kinds, ", "), &c.figures, c.answered.Load(), c.unanswered.Load())
}
