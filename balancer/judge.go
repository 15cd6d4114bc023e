package balancer

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"syscall"

	"understudy/fleet"
	"understudy/probe"
)

// proof tells whether one such failure is enough.
func proof(err error) bool {
	return errors.Is(err, probe.ErrIdentity) || errors.Is(err, syscall.ECONNREFUSED)
}

// judge counts the failures and takes workers out.
func (h *Health) judge(found []finding) {
	failed := 0
	for _, f := range found {
		p := h.pulse(f.worker)
		if f.err == nil {
			if p.lost {
				h.b.fleet.Regain(f.worker.ID)
			}
			*p = pulse{asked: p.asked}
			continue
		}
		failed++
		p.strikes++
		if proof(f.err) {
			p.strikes = strikesOut
		}
	}
	stormy := h.stormy(failed, len(h.ready()))
	for _, f := range found {
		if f.err != nil && (stormy || h.pulse(f.worker).strikes >= strikesOut) {
			h.giveUp(f.worker, f.err, stormy)
		}
	}
}

// giveUp dismisses a worker, unless wait says that the next round must agree. One of ours is lost until the engine was heard from.
func (h *Health) giveUp(w *fleet.Worker, why error, wait bool) {
	p, engine := h.pulse(w), h.b.fleet.Engine()
	if p.question == 0 && w.Origin.Ours() {
		p.question = engine.Ask()
		p.vouched = engine.Vouched(p.question)
	}
	switch {
	case p.strikes >= strikesOut && p.question > 0 && !p.vouched:
		p.lost = h.b.fleet.Lose(w.ID, "out of reach, and so may be what runs it: "+why.Error()) || p.lost
	case !wait:
		h.b.dismiss(w, why)
		delete(h.pulses, w)
	}
}

// hearOf notes, before a probe, whether the engine has been heard from. A worker that was lost until now is in no storm of before.
func (h *Health) hearOf(p *pulse) {
	vouched := p.question > 0 && h.b.fleet.Engine().Vouched(p.question)
	if p.lost && vouched && !p.vouched {
		h.storm = 0
	}
	p.vouched = vouched
}

// lost lists the workers that are lost.
func (h *Health) lost() []*fleet.Worker {
	return slices.DeleteFunc(h.ready(), func(w *fleet.Worker) bool { return !h.pulse(w).lost })
}

// stormy tells whether so many fail that the next round must confirm it.
func (h *Health) stormy(failed, all int) bool {
	if all < 2 || 2*failed <= all {
		h.storm = 0
		return false
	}
	now := h.b.upstreams.now()
	if h.storm == 0 {
		h.storm = now
		h.b.log.Warn("most workers stopped answering at the same time; waiting before they are given up",
			slog.Int("failed", failed), slog.Int("of", all))
	}
	return now-h.storm < stormPause
}

// dismiss takes a worker out of rotation. What we did not start we cannot replace, so it is forgotten, and may come back.
func (b *Balancer) dismiss(w *fleet.Worker, why error) {
	if now, _, ok := b.fleet.Worker(w.ID); !ok || now != w {
		return // another worker has its id by now
	}
	cause, level := fleet.Silent, slog.LevelWarn
	if errors.Is(why, probe.ErrIdentity) {
		cause, level = fleet.Stranger, slog.LevelError
	}
	if !b.fleet.FailBy(w.ID, cause, why.Error()) {
		return
	}
	b.log.Log(context.Background(), level, "worker out of rotation", slog.String("pool", w.Pool), slog.String("worker", w.ID), slog.String("reason", why.Error()))
	if !w.Origin.Ours() {
		b.fleet.Remove(w.ID)
	}
}
