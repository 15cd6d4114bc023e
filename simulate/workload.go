package simulate

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"understudy/config"
)

// workload is arrivals per second over time, and batches that come on top, all at one instant.
type workload struct {
	name  string
	rate  func(t, length float64) float64 // at t seconds of length
	batch int
	every time.Duration // between batches
}

// DefaultLength is how long a synthetic workload lasts when nobody says.
const DefaultLength = 15 * time.Minute

// workloads are those the policy was developed against.
func workloads() []workload {
	return []workload{
		{name: "steady", rate: steadily(50)},
		{name: "step", rate: func(t, length float64) float64 {
			if t >= length/4 && t < length*3/4 {
				return 50
			}
			return 5
		}},
		{name: "ramp", rate: func(t, length float64) float64 { return 100 - 95*math.Abs(2*t/length-1) }},
		{name: "spike", rate: spikes},
		{name: "diurnal", rate: func(t, length float64) float64 { return 32.5 - 27.5*math.Cos(2*math.Pi*t/length) }},
		{name: "onoff", rate: bursts},
		{name: "lowrate", rate: steadily(0.5)},
		{name: "batch", rate: steadily(5), batch: 10, every: 5 * time.Second},
	}
}

// Workloads names the synthetic workloads.
func Workloads() []string {
	var names []string
	for _, w := range workloads() {
		names = append(names, w.name)
	}
	return names
}

func steadily(rate float64) func(t, length float64) float64 {
	return func(float64, float64) float64 { return rate }
}

// spikes are 10 s of 100/s every two minutes, over 10/s.
func spikes(t, _ float64) float64 {
	if math.Mod(t+60, 120) < 10 {
		return 100
	}
	return 10
}

// bursts are 10 s of 40/s after silences of 43, 5, 12 and 20 s.
func bursts(t, _ float64) float64 {
	switch t = math.Mod(t, 120); {
	case t < 10, t >= 15 && t < 25, t >= 37 && t < 47, t >= 67 && t < 77:
		return 40
	}
	return 0
}

// FromWorkload makes a load of one of Workloads. Length is rounded up to whole seconds; 0 is DefaultLength. Where there are pools, its requests go to
// the only one: with several it is not clear whose they are.
func FromWorkload(name string, length time.Duration, pools []config.Pool) (Load, error) {
	capability, err := newRouter(pools).to("")
	if err != nil {
		return Load{}, fmt.Errorf("the requests of a workload have no kind, and %w", err)
	}
	if length == 0 {
		length = DefaultLength
	}
	length = wholeSeconds(length - 1)
	for _, w := range workloads() {
		if w.name == name {
			return w.load(length, capability), nil
		}
	}
	return Load{}, fmt.Errorf("there is no workload %q; there are %s", name, strings.Join(Workloads(), ", "))
}

func (w workload) load(length time.Duration, capability string) Load {
	return Load{Name: w.name, Length: length, open: func(seed uint64) (arrivals, error) {
		return &generator{
			workload: w, length: length, capability: capability, nextBatch: w.every,
			random: random(seed, seedArrivals), services: random(seed, seedServices),
		}, nil
	}}
}

// generator draws Poisson arrivals at the rate of the moment: at a rate above every other, thinned out.
type generator struct {
	workload
	length           time.Duration
	capability       string
	random, services *rand.Rand

	t         float64 // of the last draw, in seconds
	held      bool    // a single arrival at t is still to come
	nextBatch time.Duration
	inBatch   int // of it, those that have come
}

const highestRate = 100.0

func (g *generator) next() (request, error) {
	if !g.held {
		g.draw()
	}
	at := time.Duration(g.t * float64(time.Second))
	if g.batch > 0 && g.nextBatch <= at {
		at = g.nextBatch
		if g.inBatch++; g.inBatch == g.batch {
			g.inBatch, g.nextBatch = 0, g.nextBatch+g.every
		}
	} else {
		g.held = false
	}
	if at >= g.length {
		return request{}, io.EOF
	}
	return request{at: at, service: drawService(g.services), capability: g.capability}, nil
}

// draw moves t to the next single arrival.
func (g *generator) draw() {
	for end := g.length.Seconds(); g.t < end; {
		g.t += g.random.ExpFloat64() / highestRate
		if g.random.Float64() < g.rate(g.t, end)/highestRate {
			break
		}
	}
	g.held = true
}

func (g *generator) close() error { return nil }
