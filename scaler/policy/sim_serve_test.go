package policy_test

import (
	"math"
	"time"
)

func pop[T any](list *[]T) T {
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

func (s *sim) arrive(r request) {
	s.arrivals.Add(s.now)
	s.queue = append(s.queue, r)
	s.dispatch()
	s.gauge()
}

// dispatch gives what waits to who is idle; a spare is promoted within the arrival.
func (s *sim) dispatch() {
	s.refuse()
	for len(s.queue) > 0 {
		switch {
		case len(s.idle) > 0:
			s.serve(pop(&s.idle), pop(&s.queue))
		case len(s.guests) > 0:
			s.serve(pop(&s.guests), pop(&s.queue))
		case len(s.spares) > 0:
			s.serve(pop(&s.spares), pop(&s.queue))
		default:
			return
		}
	}
}

// refuse turns away who has waited too long, without an answer that anything is learned from.
func (s *sim) refuse() {
	for s.wait > 0 && len(s.queue) > 0 && s.now-s.queue[0].arrived > s.wait {
		pop(&s.queue)
		s.out.requests++
		s.out.over++
		s.out.refused++
	}
}

func (s *sim) serve(w *simWorker, r request) {
	r.began = s.now
	s.working[w] = r
	takes := r.service
	if busy := float64(len(s.working)); s.cores > 0 && busy > s.cores {
		takes = time.Duration(float64(takes) * math.Pow(busy/s.cores, 1.1))
	}
	s.at(s.now+takes, func() { s.finish(w, r) })
}

func (s *sim) finish(w *simWorker, r request) {
	if w.dead {
		return
	}
	if s.hang {
		s.hung = append(s.hung, func() { s.finish(w, r) })
		return
	}
	delete(s.working, w)
	if s.fail {
		s.errors.Add(s.now, 1)
	} else {
		s.service.Observe(s.now, s.now-r.began)
		s.count(s.now-r.arrived, s.now-r.began)
	}
	if w.guest {
		s.guests = append(s.guests, w)
	} else {
		s.idle = append(s.idle, w)
	}
	s.dispatch()
	s.gauge()
}

// resume ends the tasks that hung.
func (s *sim) resume() {
	s.hang = false
	for len(s.hung) > 0 {
		pop(&s.hung)()
	}
}

// die takes all workers, with what they have in service.
func (s *sim) die() {
	for w := range s.working {
		w.dead = true
		s.errors.Add(s.now, 1)
	}
	clear(s.working)
	s.idle, s.spares, s.guests, s.others, s.hung = nil, nil, nil, 0, nil
	s.gauge()
}

// join adds workers that are not ours.
func (s *sim) join(n int) {
	s.others += n
	for range n {
		s.guests = append(s.guests, &simWorker{guest: true})
	}
	s.dispatch()
}

func (s *sim) count(took, service time.Duration) {
	s.total.Observe(s.now, took)
	s.out.requests++
	s.out.latencies = append(s.out.latencies, took)
	if took <= s.cfg.Target {
		return
	}
	s.out.over++
	s.overs.Add(s.now, 1)
	if service <= s.cfg.Target {
		s.out.avoidable++
		s.missed.Add(s.now, 1)
	}
}

func (s *sim) gauge() {
	s.level.Set(s.now, len(s.working))
	s.work.Set(s.now, len(s.working)+len(s.queue))
}
