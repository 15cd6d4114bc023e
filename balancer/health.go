package balancer

import (
	"context"
	"slices"
	"sync"
	"time"

	"understudy/fleet"
	"understudy/probe"
)

const (
	healthTick      = time.Second
	probeEvery      = 2 * time.Second // a worker that has answered anybody within this time is not asked
	probeMember     = time.Second     // nobody but the probe sees a member go
	probeTimeout    = probe.AttemptTimeout
	probesAtOnce    = 8
	strikesOut      = 2
	stormPause      = 900 * time.Millisecond // a round after this is the next one
	suspectsPending = 64                     // more than that are found by the next tick
)

// Health takes ready workers that no longer answer out of rotation. Idle workers are probed; of busy ones the requests tell, and a broken
// request gets its worker probed at once. A worker is out after two failed probes in a row, or after one that proves it gone: its port refuses
// connections, or somebody else answers there. A probe that gets no answer while the worker serves proves nothing, unless a request broke on
// it and none has been answered since.
//
// Spares that sleep are not asked.
//
// Workers of ours are marked failed, for the scaler to replace; registered workers and members are removed, and may come back.
//
// A worker that answers its probes and breaks requests is the fleet's business: see eject there.
//
// When more than half of all workers (of at least two) fail together, it is their host that is in trouble rather than each of them: the
// engine restarts, the network is away. Nobody is taken out then until the next round, a second later, finds them the same.
//
// No worker of ours is given up before the engine has been heard from: while that is away its workers may be out of reach and live on, and
// none can be started in their place. Until then such a worker is lost: it gets nothing, is probed on, and serves again once it answers.
type Health struct {
	b        *Balancer
	prober   Prober
	suspects chan *fleet.Worker

	// Of the loop alone.
	pulses map[*fleet.Worker]*pulse
	storm  time.Duration // when most failed together; 0: they did not
}

// pulse is what probes have found out about one worker.
type pulse struct {
	asked   time.Duration
	strikes int
	suspect bool // a request broke on it, and it has answered nothing since

	question uint64 // that was asked about the engine when the worker was to be given up; 0: it is not
	vouched  bool   // that was answered before the last probe: the engine is there
	lost     bool   // the worker gets nothing until it answers or is given up
}

// finding is the result of one probe.
type finding struct {
	worker *fleet.Worker
	err    error
}

func newHealth(b *Balancer, p Prober) *Health {
	return &Health{b: b, prober: p, suspects: make(chan *fleet.Worker, suspectsPending), pulses: map[*fleet.Worker]*pulse{}}
}

// suspect asks for a worker to be looked at, because a request broke on it. It never blocks.
func (h *Health) suspect(w *fleet.Worker) {
	select {
	case h.suspects <- w:
	default:
	}
}

// Suspect is suspect for a request that broke elsewhere.
func (h *Health) Suspect(w *fleet.Worker) { h.suspect(w) }

// Run looks after the workers until ctx ends. Call it once.
func (h *Health) Run(ctx context.Context) {
	ticker := time.NewTicker(healthTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.b.tellVerdicts()
			h.round(ctx, h.due())
		case w := <-h.suspects:
			h.b.tellVerdicts()
			h.round(ctx, h.gather(w))
		case <-h.b.fleet.Engine().News():
			if lost := h.lost(); len(lost) > 0 {
				h.round(ctx, lost)
			}
		}
	}
}

// gather takes all suspects there are: whatever broke them broke them together.
func (h *Health) gather(first *fleet.Worker) []*fleet.Worker {
	fresh := setOf(h.ready())
	var list []*fleet.Worker
	for w := first; ; {
		if fresh[w] {
			fresh[w] = false
			h.pulse(w).suspect = true
			list = append(list, w)
		}
		select {
		case w = <-h.suspects:
		default:
			return list
		}
	}
}

// ready lists those who can be asked: a spare that sleeps answers nobody.
func (h *Health) ready() []*fleet.Worker { return h.b.fleet.Wakeful() }

// due lists the idle workers that nobody has heard of for a while, those that failed the last time, and those under suspicion.
func (h *Health) due() []*fleet.Worker {
	now := h.b.upstreams.now()
	ready := h.ready()
	h.forget(ready)
	return slices.DeleteFunc(ready, func(w *fleet.Worker) bool {
		p, every := h.pulse(w), probeEvery
		if w.Origin == fleet.Member {
			every = probeMember
		}
		if p.strikes > 0 || p.suspect {
			return false
		}
		heard := max(p.asked, h.heard(w))
		return h.busy(w) || heard > 0 && now-heard < every-healthTick/2
	})
}

func (h *Health) pulse(w *fleet.Worker) *pulse {
	p, ok := h.pulses[w]
	if !ok {
		p = &pulse{}
		h.pulses[w] = p
	}
	return p
}

// forget drops what is known about workers that are no longer ready.
func (h *Health) forget(ready []*fleet.Worker) {
	there := setOf(ready)
	for w := range h.pulses {
		if !there[w] {
			delete(h.pulses, w)
		}
	}
}

func setOf(workers []*fleet.Worker) map[*fleet.Worker]bool {
	set := make(map[*fleet.Worker]bool, len(workers))
	for _, w := range workers {
		set[w] = true
	}
	return set
}

func (h *Health) busy(w *fleet.Worker) bool {
	l := h.b.upstreams.known(w)
	return l != nil && l.inflight.Load() > 0
}

func (h *Health) heard(w *fleet.Worker) time.Duration {
	l := h.b.upstreams.known(w)
	if l == nil {
		return 0
	}
	return time.Duration(l.heard.Load())
}

// round probes the workers and judges. When one of them fails, all others that are idle are probed too, to tell one that broke from a
// host that did.
func (h *Health) round(ctx context.Context, workers []*fleet.Worker) {
	found := h.probe(ctx, workers)
	if slices.ContainsFunc(found, func(f finding) bool { return f.err != nil }) {
		asked := setOf(workers)
		others := slices.DeleteFunc(h.ready(), func(w *fleet.Worker) bool { return asked[w] || h.busy(w) })
		found = append(found, h.probe(ctx, others)...)
	}
	if ctx.Err() == nil { // probes that were cut short prove nothing
		h.judge(found)
	}
}

// probe asks all the workers, a few at a time.
func (h *Health) probe(ctx context.Context, workers []*fleet.Worker) []finding {
	found := make([]finding, len(workers))
	var wg sync.WaitGroup
	places := make(chan struct{}, probesAtOnce)
	s := h.b.settings.Load()
	for i, w := range workers {
		p := h.pulse(w)
		p.asked = h.b.upstreams.now()
		h.hearOf(p)
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			found[i] = finding{w, h.ask(ctx, s, w, p.suspect)}
		})
	}
	wg.Wait()
	return found
}

// ask is one probe. No answer from a worker that has served meanwhile is no failure; nor, as long as it is not suspect, from one that serves;
// nor from one that was put to sleep meanwhile.
func (h *Health) ask(ctx context.Context, s *settings, w *fleet.Worker, suspect bool) error {
	began := h.b.upstreams.now()
	naps, awake := h.b.fleet.Naps(w)
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := h.prober.Check(ctx, s.target(w))
	if err != nil && !proof(err) && (h.heard(w) > began || !suspect && h.busy(w)) {
		return nil
	}
	if now, _ := h.b.fleet.Naps(w); !awake || now != naps {
		return nil
	}
	return err
}
