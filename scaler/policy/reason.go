package policy

import (
	"fmt"
	"math"
	"time"
)

// sentence explains a decision to somebody who has not read this package: which rule won, with the figures it rests on, and then what
// limited it. ASCII only, so that it survives any log.
func (v *view) sentence(d *Decision, w *working) string {
	var text string
	switch d.Term {
	case termIdle:
		text = "idle: " + v.nothing()
	case termModel:
		text = "model: " + v.modelled(w)
	case termSurge:
		text = "surge: " + v.surged(w)
	case termBacklog:
		text = "backlog: " + v.waiting(w)
	case termStanding:
		text = fmt.Sprintf("standing: at no moment of the last 0.5 s was there work for fewer than %s", counted(w.asked, "worker"))
	case termFeedback:
		text = "feedback: " + v.fedBack(w)
	case termMin:
		text = fmt.Sprintf("min: the load needs %s, the least allowed is %d", counted(w.asked+w.boost, "worker"), d.Need)
	}
	return text + v.limitedBy(d, w)
}

func (v *view) nothing() string {
	return fmt.Sprintf("no request in the last %s and none in service", seconds(v.in.Slow.Width.Seconds()))
}

// modelled is the core of the matter: what fewer would cost and what these do.
func (v *view) modelled(w *working) string {
	return fmt.Sprintf("at %s (%s) %s", v.rated(&w.load), w.load.erlangs(), v.compared(w))
}

func (v *view) surged(w *working) string {
	return fmt.Sprintf("%s in the last %s against %s before; at %s x %s (%s) %s",
		counted(w.load.window.Arrivals, "request"), seconds(w.load.window.Width.Seconds()), perSecond(w.load.rate),
		perSecond(float64(w.load.window.Arrivals)/w.load.window.Width.Seconds()), seconds(w.load.service.mean), w.load.erlangs(),
		v.compared(w))
}

func (v *view) waiting(w *working) string {
	was := "waits"
	if v.in.Queue != 1 {
		was = "wait"
	}
	return fmt.Sprintf("%s %s; when a worker started now is ready, in %s, %.1f too many for %s would wait, so %s",
		counted(v.in.Queue, "request"), was, seconds(v.startTime()), w.waiting, v.present(), counted(w.asked, "worker"))
}

func (v *view) fedBack(w *working) string {
	more := fmt.Sprintf("%d more than the %d the load asks for", w.boost, w.asked)
	if v.breach() {
		return fmt.Sprintf("%s of the last %d answers missed %s by waiting, %s may, so %s",
			percent(v.missed()), v.in.Latency.N, seconds(v.target), percent(v.budget), more)
	}
	return fmt.Sprintf("%s, kept until misses by waiting stay under %s for 30 s", more, percent(v.budget/2))
}

// rated says where the load comes from.
func (v *view) rated(l *load) string {
	if l.busier {
		return decimal(v.in.MeanBusy) + " tasks in service on average"
	}
	return perSecond(l.rate) + " x " + seconds(l.service.mean)
}

// compared says what one worker less and as many as the model asks for would make of it.
func (v *view) compared(w *working) string {
	n := v.workersFor(w.model)
	slots := n*v.cfg.Concurrency + v.in.Others
	with := fmt.Sprintf("%s make %s miss %s by waiting", counted(n, "worker"), percent(missedWith(&w.load, slots, v.target)), seconds(v.target))
	if n == 1 {
		with = fmt.Sprintf("1 worker makes %s miss %s by waiting", percent(missedWith(&w.load, slots, v.target)), seconds(v.target))
	}
	if v.in.Others > 0 {
		with += fmt.Sprintf(" beside %s not ours", counted(v.in.Others, "slot"))
	}
	fewer := slots - v.cfg.Concurrency
	switch {
	case n <= 1:
		return with
	case float64(fewer) <= w.load.erlang:
		return fmt.Sprintf("%s would not keep up, %s", counted(n-1, "worker"), with)
	}
	return fmt.Sprintf("%s would make %s miss %s by waiting, %d make %s",
		counted(n-1, "worker"), percent(missedWith(&w.load, fewer, v.target)), seconds(v.target), n, percent(missedWith(&w.load, slots, v.target)))
}

// present names the workers the backlog is measured against.
func (v *view) present() string {
	text := fmt.Sprintf("%d ready", v.ready())
	if n := v.starting(); n > 0 {
		text += fmt.Sprintf(" and %d starting", n)
	}
	if v.in.Others > 0 {
		text += fmt.Sprintf(" beside %s not ours", counted(v.in.Others, "slot"))
	}
	return text
}

// limitedBy says what the clamp did, and what the workers beyond the need are for.
func (v *view) limitedBy(d *Decision, w *working) string {
	switch d.Clamp {
	case clampMax:
		return fmt.Sprintf("; limited by max %d, the spare included", v.cfg.Max)
	case clampHost:
		return fmt.Sprintf("; kept at %d: the host's CPU is at %s and the service has become slow, more workers would only share it", d.Need, percent(v.in.HostCPU))
	case clampBackoff:
		if d.Backoff > 0 {
			return fmt.Sprintf("; no start for %s after %s", seconds(d.Backoff.Seconds()), counted(v.in.StartFails, "failed start"))
		}
		return fmt.Sprintf("; one start at a time after %s", counted(v.in.StartFails, "failed start"))
	case clampFailing:
		return fmt.Sprintf("; %d of the last %s failed, so nothing is concluded from latency and nothing is removed", v.in.Latency.Failed, counted(v.in.Latency.Requests, "request"))
	case clampSlow:
		return fmt.Sprintf("; %s of the last %d answers took longer than %s by themselves, which more workers cannot help", percent(v.slowAlone()), v.in.Latency.N, seconds(v.target))
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

func (l *load) erlangs() string {
	text := decimal(l.erlang) + " erlang"
	if l.calmed {
		text += " at the service time of when the CPU was free"
	}
	return text
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
