package simulate

import (
	"math"
	"time"

	"understudy/chart"
)

// scales are the greatest values shown, the same for all policies so that pictures can be compared. Latency beyond ten targets is cut off:
// one policy that fails would flatten all others.
func (r *Report) scales() (latency, workers float64) {
	latency = 2 * r.TargetMS
	for _, p := range r.Policies {
		for _, c := range p.series.columns {
			latency = max(latency, milliseconds(c.p95))
			workers = max(workers, float64(c.workers)/float64(p.series.width))
		}
	}
	return chart.RoundUp(min(latency, 10*r.TargetMS)), chart.RoundUp(max(workers, 2))
}

// place is where a picture goes when it is part of a drawing; zero: it stands in a page.
type place struct{ width, y float64 }

func (r *Report) picture(what string, res Result, most float64, unit string, at place) *chart.Chart {
	return chart.New(chart.Options{
		Title: what + " over time with " + res.Name, Caption: what, Most: most, Unit: unit, Ticks: chart.Times(r.length),
		Width: at.width, Y: at.y,
	})
}

func (r *Report) latencyPicture(res Result, most float64, at place) string {
	p := r.picture("latency", res, most, " ms", at)
	cols := res.series.columns
	of := func(get func(column) time.Duration) func(int) float64 {
		return func(i int) float64 {
			if cols[i].ended == 0 {
				return math.NaN()
			}
			return milliseconds(get(cols[i]))
		}
	}
	p.Area("wide", len(cols), of(func(c column) time.Duration { return c.p95 }))
	p.Line("line", len(cols), of(func(c column) time.Duration { return c.p50 }))
	p.Level("target", r.TargetMS)
	return p.String()
}

func (r *Report) workersPicture(res Result, most float64, at place) string {
	p := r.picture("workers", res, most, "", at)
	cols, width := res.series.columns, float64(res.series.width)
	last := float64(r.length - time.Duration(len(cols)-1)*res.series.width)
	share := func(v time.Duration, i int) float64 {
		if i == len(cols)-1 {
			return float64(v) / last
		}
		return float64(v) / width
	}
	p.Area("have", len(cols), func(i int) float64 { return share(cols[i].workers, i) })
	p.Line("use", len(cols), func(i int) float64 { return share(cols[i].busy, i) })
	return p.String()
}
