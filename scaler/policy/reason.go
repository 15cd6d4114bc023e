package policy

import (
	"fmt"
	"math"
	"time"
)

// Sentence explains a decision to somebody who has not read this package: which rule won, with the figures it rests on, and then what
// limited it. ASCII only, so that it survives any log. Of a Decision that Decide did not make it is empty.
func (d Decision) Sentence() string {
	var text string
	switch d.Term {
	case termIdle:
		text = "idle: " + d.nothing()
	case termUsual:
		text = "usual: " + d.usually()
	case termReserve:
		text = "reserve: " + d.reserved()
	case termNext:
		text = "next: " + d.foreseen()
	case termMin:
		text = fmt.Sprintf("min: the load needs %s, the least allowed is %d", counted(d.work.asked(), "worker"), d.Need)
	default:
		return ""
	}
	return text + d.limitedBy()
}

// asked is the workers that the rules ask for, before bounds.
func (w *working) asked() int { return max(w.usual+w.reserve, w.next) }

func (d *Decision) nothing() string {
	return fmt.Sprintf("no request in the last %s and none in service", seconds(d.work.slow.Width.Seconds()))
}

// usually says what fewer workers would cost at the usual rate, and what these do.
func (d *Decision) usually() string {
	w := &d.work
	return fmt.Sprintf("at %s (%s) %s", w.rated(d.Mean), w.erlangs(), w.compared())
}

// rated says where the load comes from.
func (w *working) rated(mean time.Duration) string {
	if w.busier {
		return decimal(w.erlang) + " tasks in service on average"
	}
	return perSecond(w.rate) + " x " + seconds(mean.Seconds())
}

func (w *working) erlangs() string {
	text := decimal(w.erlang) + " erlang"
	if w.calmed {
		text += " at the service time of when the CPU was free"
	}
	return text
}

// barely: slots that are no more than the load by this much keep up only on paper.
const barely = 1.02

func (w *working) compared() string {
	missed := fmt.Sprintf("miss %s by waiting%s", seconds(w.target), w.beside())
	with := percent(w.shares[1])
	fewer := (w.usual-1)*w.cfg.Concurrency + w.others + w.lean
	switch {
	case w.usual == 0:
		return fmt.Sprintf("no worker makes %s %s", with, missed)
	case w.usual == 1 && w.lean == 0:
		return fmt.Sprintf("1 worker makes %s %s", with, missed)
	case float64(fewer) <= barely*w.erlang:
		return fmt.Sprintf("%s would not keep up, %d make %s %s", counted(w.usual-1, "worker"), w.usual, with, missed)
	}
	return fmt.Sprintf("%s would make %s %s, %d make %s", counted(w.usual-1, "worker"), percent(w.shares[0]), missed, w.usual, with)
}

// beside names what else takes requests.
func (w *working) beside() string {
	text := ""
	if w.lean > 0 {
		text = " beside the spare"
	}
	if w.others > 0 {
		text += fmt.Sprintf(" beside %s not ours", counted(w.others, "slot"))
	}
	return text
}

func (d *Decision) reserved() string {
	w := &d.work
	more := fmt.Sprintf("%d more than the %d of the usual load", w.reserve, w.usual)
	if missed := share(w.latency.Missed, w.latency.N); w.latency.N >= enough && missed > w.budget {
		return fmt.Sprintf("%s, because %s of the last %d answers missed %s by waiting and %s may",
			more, percent(missed), w.latency.N, seconds(w.target), percent(w.budget))
	}
	return fmt.Sprintf("%s, kept until misses by waiting stay under %s for %s", more, percent(w.budget/2), seconds(w.keep.Seconds()))
}

// foreseen says what fewer workers would cost those who wait or are expected, and what these do.
func (d *Decision) foreseen() string {
	w := &d.work
	what, fewer, with := fmt.Sprintf("miss %s by waiting", seconds(w.target)), w.fewer.missed, w.with.missed
	if w.fewer.left-w.with.left > fewer-with {
		what, fewer, with = "still wait by then", w.fewer.left, w.with.left
	}
	text := fmt.Sprintf("of %s requests that wait or are expected within %s, with %s %s would %s, with %d %s, and hardly fewer with more",
		amount(w.n), seconds(w.horizon), counted(w.next-1, "worker"), amount(fewer), what, w.next, amount(with))
	if w.peak.Arrivals > 0 {
		text += fmt.Sprintf("; %s came in the last %s, %s before",
			counted(w.peak.Arrivals, "request"), seconds(w.peak.Width.Seconds()), perSecond(w.rate))
	}
	return text
}

// limitedBy says what the clamp did, and what the workers beyond the need are for.
func (d *Decision) limitedBy() string {
	w := &d.work
	switch d.Clamp {
	case clampMax:
		return fmt.Sprintf("; limited by max %d, the spare included", w.cfg.Max)
	case clampHost:
		return fmt.Sprintf("; kept at %d: the host's CPU is at %s and the service has become slow, more workers would only share it", d.Need, percent(w.hostCPU))
	case clampBackoff:
		if d.Backoff > 0 {
			return fmt.Sprintf("; no start for %s after %s", seconds(d.Backoff.Seconds()), counted(w.startFails, "failed start"))
		}
		return fmt.Sprintf("; one start at a time after %s", counted(w.startFails, "failed start"))
	case clampFailing:
		return fmt.Sprintf("; %d of the last %s failed, so nothing is concluded from latency and nothing is removed", w.latency.Failed, counted(w.latency.Requests, "request"))
	case clampSlow:
		return fmt.Sprintf("; %s of the last %d answers took longer than %s by themselves, which more workers cannot help", percent(slowAlone(w.latency)), w.latency.N, seconds(w.target))
	case clampHeld:
		return fmt.Sprintf("; held at %d, the peak of the last %s", d.Active, seconds(holdFor.Seconds()))
	}
	return ""
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func perSecond(rate float64) string { return decimal(rate) + "/s" }

// decimal gives one decimal, and two figures of what is too small for that.
func decimal(x float64) string {
	if x > 0 && x < 0.095 {
		return fmt.Sprintf("%.2g", x)
	}
	return fmt.Sprintf("%.1f", x)
}

// percent gives two figures, and never calls something nothing.
func percent(share float64) string {
	tenths := math.Round(1000 * share)
	switch {
	case share > 0 && tenths == 0:
		return "under 0.1 %"
	case tenths >= 100 || math.Mod(tenths, 10) == 0:
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// seconds gives the unit a person would use.
func seconds(s float64) string {
	switch ms := s * 1000; {
	case ms < 9.95:
		return fmt.Sprintf("%.2g ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.3g s", time.Duration(s*float64(time.Second)).Round(time.Millisecond).Seconds())
}

// amount is a number of requests as far as a forecast can tell.
func amount(n float64) string {
	switch {
	case n < 0.05:
		return "none"
	case n < 9.95:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}
