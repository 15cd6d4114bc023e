package simulate

import (
	"math"
	"time"

	"understudy/scaler/policy"
)

// kpa is the pod autoscaler of Knative as its description and its defaults have it: the concurrency seen over a minute, divided by 70 % of what a worker takes;
// over 6 s instead, and never down, while that asks for twice what there is (panic) and for a minute after. It decides every 2 s.
type kpa struct {
	spare    int // warm workers beyond what it wants
	load     window
	decided  time.Duration
	panicked time.Duration // when it last asked for twice what there is; negative: not in panic
	want     int
}

const (
	kpaTick        = 2 * time.Second
	kpaStable      = 60 * time.Second
	kpaPanic       = 6 * time.Second
	kpaTarget      = 0.7
	kpaPanicAt     = 2.0
	kpaMaxUpRate   = 1000.0
	kpaMaxDownRate = 2.0
)

func newKPA(spare int) *kpa { return &kpa{spare: spare, decided: -kpaTick, panicked: -1} }

func (k *kpa) Decide(cfg policy.Config, in policy.Snapshot) policy.Decision {
	k.load.add(in.Now, float64(in.Busy+in.Queue))
	if in.Now-k.decided >= kpaTick {
		k.decided = in.Now
		k.decide(cfg, in)
	}
	return exactly(k.want, min(k.spare, cfg.Max-k.want), in)
}

func (k *kpa) decide(cfg policy.Config, in policy.Snapshot) {
	ready := float64(max(1, in.Active+in.Spare-k.spare))
	desired := func(window time.Duration) float64 {
		want := math.Ceil(k.load.mean(in.Now, window)/(kpaTarget*float64(cfg.Concurrency)) - 1e-9)
		return min(max(want, math.Floor(ready/kpaMaxDownRate)), math.Ceil(ready*kpaMaxUpRate))
	}
	stable, panicking := desired(kpaStable), desired(kpaPanic)
	switch {
	case panicking/ready >= kpaPanicAt:
		k.panicked = in.Now
	case k.panicked >= 0 && in.Now-k.panicked >= kpaStable:
		k.panicked = -1
	}
	want := int(stable)
	if k.panicked >= 0 {
		want = max(int(panicking), int(stable), k.want)
	}
	k.want = min(max(want, cfg.Min, 1), cfg.Max)
}
