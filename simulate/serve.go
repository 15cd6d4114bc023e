package simulate

import (
	"time"

	"understudy/fleet"
)

// waiting is a request in the fleet's queue.
type waiting struct {
	request
	place *fleet.Waiter
	home  *pool
	ended bool
}

// line mirrors one queue of the fleet, so that whoever was granted is found without looking at everybody: they are granted from the front.
type line struct {
	front int
	list  []*waiting
}

func (l *line) add(w *waiting) { l.list = append(l.list, w) }

// first skips those who left.
func (l *line) first() *waiting {
	for l.front < len(l.list) && l.list[l.front].ended {
		l.list[l.front] = nil
		l.front++
	}
	if l.front == len(l.list) {
		l.list, l.front = l.list[:0], 0
		return nil
	}
	if l.front > 64 && 2*l.front > len(l.list) {
		l.list = append(l.list[:0], l.list[l.front:]...)
		l.front = 0
	}
	return l.list[l.front]
}

// arrive is one request at the balancer's door.
func (r *run) arrive(req request) {
	r.book.arrived()
	lease, place, err := r.fleet.Claim(fleet.Request{Capability: req.capability})
	switch {
	case err != nil:
		r.refuse(req, r.pools[r.owner[req.capability]])
	case place == nil:
		r.begin(lease, req)
	default:
		w := &waiting{request: req, place: place, home: r.home[place.Home()]}
		w.home.queue++
		r.lines[req.capability].add(w)
		r.patience(w)
		r.notice(w.home)
	}
}

// begin lets a worker serve a request.
func (r *run) begin(lease fleet.Lease, req request) {
	p := r.home[lease.Worker.Pool]
	p.busy++
	r.serving++
	r.cpu.Set(r.now, r.serving)
	takes := time.Duration(float64(req.service) * slowed(r.serving, r.o.Cores))
	r.after(takes, func() { r.finish(lease, req, takes) })
	r.notice(p)
}

func (r *run) finish(lease fleet.Lease, req request, took time.Duration) {
	p := r.home[lease.Worker.Pool]
	p.busy--
	r.serving--
	r.cpu.Set(r.now, r.serving)
	r.book.answered(r.now, r.now-req.at, took, r.home[lease.Home()].cfg.Target.Latency)
	lease.Release(fleet.Outcome{Kind: fleet.Served})
	r.granted()
	r.notice(p)
}

// granted begins to serve those whom the fleet has given a worker.
func (r *run) granted() {
	for _, p := range r.pools {
		for _, capability := range p.cfg.Capabilities {
			r.grantedIn(r.lines[capability])
		}
	}
}

func (r *run) grantedIn(l *line) {
	for w := l.first(); w != nil; w = l.first() {
		select {
		case lease, ok := <-w.place.Granted():
			r.leave(w)
			if ok {
				r.begin(lease, w.request)
			} else {
				r.refuse(w.request, w.home)
			}
		default:
			return
		}
	}
}

func (r *run) leave(w *waiting) {
	w.ended = true
	w.home.queue--
}

// patience sees to it that a request waits no longer than it may.
func (r *run) patience(w *waiting) {
	r.after(max(w.place.Deadline()-r.now, 0), func() { r.timeOut(w) })
}

// hurry looks again at those who wait at a pool whose patience has become shorter.
func (r *run) hurry(p *pool) {
	for _, capability := range p.cfg.Capabilities {
		l := r.lines[capability]
		for _, w := range l.list[l.front:] {
			if !w.ended && w.home == p {
				r.patience(w)
			}
		}
	}
}

// timeOut refuses a request that has waited as long as it may. One that was granted more time since is looked at again when that is over.
func (r *run) timeOut(w *waiting) {
	if w.ended {
		return
	}
	if w.place.Deadline() > r.now {
		r.patience(w)
		return
	}
	r.leave(w)
	if lease, err := w.place.Leave(); err == nil {
		r.begin(lease, w.request)
		return
	}
	r.refuse(w.request, w.home)
	r.notice(w.home)
}

// refuse books a request that gets no answer. In the percentiles it stands with those that waited as long as anybody may: refused at once would
// look quick.
func (r *run) refuse(req request, home *pool) {
	r.book.refused(r.now, max(r.now-req.at, home.longestWait()), req.service, home.cfg.Target.Latency)
}

// giveUp ends those that still wait or are still served when there is no hope for them.
func (r *run) giveUp() {
	for _, p := range r.pools {
		for range p.queue + p.busy {
			r.book.refused(r.now, overtime, 0, p.cfg.Target.Latency)
		}
	}
}

// notice shows a policy that watches every change what has changed, and lets it decide at once if it wants to.
func (r *run) notice(p *pool) {
	if w, ok := p.policy.(Watcher); ok && w.Watch(r.now, p.busy, p.queue) {
		r.act(p)
	}
}
