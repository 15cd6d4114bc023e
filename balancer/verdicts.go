package balancer

import (
	"log/slog"

	"understudy/fleet"
)

// tellVerdicts says what the fleet has judged about workers whose requests break.
func (b *Balancer) tellVerdicts() {
	for _, v := range b.fleet.Verdicts() {
		b.tellVerdict(v)
	}
}

func (b *Balancer) tellVerdict(v fleet.Verdict) {
	log := b.log.With(slog.String("pool", v.Worker.Pool), slog.String("worker", v.Worker.ID), slog.Int("broke_in_a_row", v.Row))
	if v.Back > 0 {
		log.Warn("requests break on most workers of the pool; those that were ejected serve again", slog.Int("workers", v.Back))
		return
	}
	b.recorder.Ejected(v.Worker.Pool)
	if v.Failed {
		log.Warn("worker ejected too often; it is replaced")
		return
	}
	log.Warn("worker ejected", slog.Duration("for", v.Out))
}
