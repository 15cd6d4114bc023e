package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/meter"
)

// event is something that happens later. Events of one moment happen in the order they were made.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

func sooner(a, b event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// run is one policy at work in virtual time: the real fleet, and a model of everything around it.
type run struct {
	o      Options
	now    time.Duration
	agenda heap[event]
	seq    uint64

	fleet    *fleet.Fleet
	pools    []*pool
	home     map[string]*pool // by name
	owner    map[string]int   // index of the pool in which a capability counts
	lines    map[string]*line // who waits, by capability
	starting int              // starts in flight, all pools
	workers  int              // of ours, starting ones included
	made     int              // workers ever
	serving  int              // requests in service
	luck     *rand.Rand       // of starts

	cpu  *meter.Level // busy cores
	book *book
}

// overtime is how long after the end of the load requests may still be answered.
const overtime = time.Hour

// newRun makes a run; decides gives each pool that is scaled its policy.
func newRun(o Options, decides func(config.Pool) (Policy, error)) (*run, error) {
	r := &run{
		o: o, agenda: heap[event]{before: sooner}, home: map[string]*pool{}, lines: map[string]*line{},
		owner: homes(o.Pools), luck: random(o.Seed, seedStarts), cpu: meter.NewLevel(30, 100*time.Millisecond), book: newBook(o.Load.Length),
	}
	epoch := time.Unix(0, 0)
	r.fleet = newFleet(o.Pools, func() time.Time { return epoch.Add(r.now) })
	for _, c := range o.Pools {
		p := &pool{cfg: c}
		if c.Scaled() {
			var err error
			if p.policy, err = decides(c); err != nil {
				return nil, err
			}
		}
		r.pools = append(r.pools, p)
		r.home[c.Name] = p
		for _, capability := range c.Capabilities {
			r.lines[capability] = &line{}
		}
	}
	return r, r.furnish()
}

// furnish gives a run what there is when it begins: fixed members, and of our workers what the policy wants while nothing has come yet.
func (r *run) furnish() error {
	for _, p := range r.pools {
		for range p.cfg.Members {
			if err := r.join(p, fleet.Member); err != nil {
				return err
			}
		}
		if p.policy == nil {
			continue
		}
		d := r.decide(p)
		for range d.Active + d.Spare {
			if err := r.join(p, fleet.Cold); err != nil {
				return err
			}
			r.workers++
		}
		r.fleet.Steer(p.cfg.Name, d.Active, d.Spare)
	}
	// The ticks of a balancer have no relation to the clock of its clients.
	r.after(time.Duration(r.luck.Int64N(int64(scalerTick))), r.tick)
	return nil
}

// join adds a worker that is ready and has served before.
func (r *run) join(p *pool, origin fleet.Origin) error {
	r.made++
	w, err := r.fleet.Add(fleet.Info{ID: fmt.Sprintf("w%d", r.made), Pool: p.cfg.Name, Origin: origin, Warm: true})
	if err != nil {
		return fmt.Errorf("cannot add a worker to pool %s: %w", p.cfg.Name, err)
	}
	r.fleet.Ready(w.ID, "", 0)
	p.slots += p.cfg.Concurrency
	return nil
}

func (r *run) after(d time.Duration, do func()) {
	r.seq++
	r.agenda.push(event{r.now + d, r.seq, do})
}

// play lets the load come and everything follow from it, until the last request has ended.
func (r *run) play(ctx context.Context) error {
	src, err := r.o.Load.open(r.o.Seed)
	if err != nil {
		return err
	}
	defer src.close()
	next, err := src.next()
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		switch {
		case err == nil && next.at <= r.agenda.first().at:
			r.pass(next.at)
			r.arrive(next)
			next, err = src.next()
		case err != nil && r.finished():
			r.giveUp()
			r.book.close()
			return nil
		default:
			e := r.agenda.pop()
			r.pass(e.at)
			e.do()
		}
	}
}

// finished: the load is over, and so is everything that came of it, or there is no hope that it ever will be. The books are closed at a
// moment that does not depend on what happened to be next.
func (r *run) finished() bool {
	next, end := r.agenda.first().at, r.o.Load.Length
	if next < end {
		return false
	}
	if r.serving+r.waiting() == 0 {
		r.pass(max(r.now, end))
		return true
	}
	return next > end+overtime
}

func (r *run) waiting() (n int) {
	for _, p := range r.pools {
		n += p.queue
	}
	return n
}

// pass lets time go by.
func (r *run) pass(to time.Duration) {
	bare := false
	busy := 0
	for _, p := range r.pools {
		bare = bare || p.bare()
		busy += p.busy
	}
	r.book.pass(r.now, to, r.workers, busy, bare)
	r.now = to
}

// hostCPU is the mean of the last 2 s, -1 where no cores are modelled.
func (r *run) hostCPU() float64 {
	if r.o.Cores <= 0 {
		return -1
	}
	return min(1, r.cpu.Mean(r.now, 2*time.Second)/r.o.Cores)
}
