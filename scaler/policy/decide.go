package policy

import "time"

// Decide says how many workers the pool should have at in.Now. It is called about four times a second with the State it returned
// last; the zero State stands for a pool not seen before. It never fails: figures that make no sense are read as if unknown. It changes
// nothing it is given, does not allocate, and may be called concurrently. Decision.Sentence says why.
//
// How it decides, in the order it does:
//
//  1. The law of service times, from the answers of the last 60 s and the tasks still in service (servicelaw.go).
//  2. next: the least number of workers that, for the queue, the tasks, the starts in flight and the forecast arrivals (forecast.go), does no
//     worse than an unlimited one (lookahead.go, next.go).
//  3. usual: the least number at which the chance meetings of the usual rate make too few miss to matter, by Erlang C (usual.go), and on top of
//     it a reserve that measured misses raise and calm lowers (reserve.go).
//  4. bounds: the host's CPU, then min and max (bound.go). What remains is the need of this moment.
//  5. Starts follow the need of this moment (formula 9), the number in rotation its peak of the last 15 s (hold.go), removals a tenth a second from idle
//     workers (removal.go). The spare comes on top of all of these (spare.go).
func Decide(cfg Config, in Snapshot, s State) (Decision, State) {
	var v view
	v.open(cfg, in, s.mem)
	d := v.decide()
	return d, State{v.mem}
}

// working is what a decision came from, kept for the sentence that explains it.
type working struct {
	usual, reserve, next int // workers each rule asks for
	lean                 int // slots of the spare that usual leans on
	wanted               int // starts, before the back-off

	cfg        Config
	target     float64
	budget     float64
	slow, peak Window
	others     int
	latency    Latency
	startFails int
	hostCPU    float64

	erlang, rate   float64
	busier, calmed bool       // the load is that of the tasks seen in service; it rests on service times of calm days
	shares         [3]float64 // predicted to miss with one less than usual, with usual, with one more
	keep           time.Duration

	n, horizon  float64 // requests looked ahead at, and how far
	fewer, with outcome // of those with one worker less than next, and with next
}

func (v *view) decide() (d Decision) {
	w := &d.work
	v.learn()
	w.next = v.next()
	w.usual = v.usual(w)
	w.reserve = v.reserve(w.usual)
	d.Term = v.winner(w)
	d.Need, d.Clamp = v.bound(w, &d)

	d.Active = min(v.hold(d.Need), v.cfg.Max)
	spare := v.spareTarget(d.Need)
	d.Spare = min(spare, v.cfg.Max-d.Active)
	w.wanted = max(0, d.Need+min(spare, v.cfg.Max-d.Need)-v.ready())
	d.Backoff = v.backoff()
	d.Pipeline = v.allowed(w.wanted, d.Backoff)
	d.Remove = v.removable(d.Active + d.Spare)
	d.Clamp = v.clamp(d.Clamp, &d)
	d.Wait = v.patience(&d)
	v.tell(&d)
	return d
}

// The rules that can win, as Decision.Term names them.
const (
	termIdle    = "idle"    // nothing arrives and nothing is there
	termUsual   = "usual"   // Erlang C against the target, at the slow rate
	termReserve = "reserve" // the same, and workers kept because requests measurably missed by waiting
	termNext    = "next"    // the look-ahead
	termMin     = "min"     // the operator's least
)

func (v *view) winner(w *working) string {
	switch {
	case w.next > w.usual+w.reserve:
		return termNext
	case w.reserve > 0:
		return termReserve
	case w.usual == 0 && w.erlang == 0:
		return termIdle
	}
	return termUsual
}
