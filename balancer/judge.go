package balancer

import (
	"errors"
	"log/slog"
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
			p.strikes, p.suspect = 0, false
			continue
		}
		failed++
		p.strikes++
		if proof(f.err) {
			p.strikes = strikesOut
		}
	}
	if h.stormy(failed, len(h.ready())) {
		return
	}
	for _, f := range found {
		if f.err != nil && h.pulse(f.worker).strikes >= strikesOut {
			h.b.dismiss(f.worker, f.err.Error())
			delete(h.pulses, f.worker)
		}
	}
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
func (b *Balancer) dismiss(w *fleet.Worker, reason string) {
	if now, _, ok := b.fleet.Worker(w.ID); !ok || now != w {
		return // another worker has its id by now
	}
	if !b.fleet.Fail(w.ID, reason) {
		return
	}
	b.log.Warn("worker out of rotation", slog.String("pool", w.Pool), slog.String("worker", w.ID), slog.String("reason", reason))
	if !w.Origin.Ours() {
		b.fleet.Remove(w.ID)
	}
}
