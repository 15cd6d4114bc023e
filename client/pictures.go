package client

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"understudy/chart"
)

// drawing is one picture of the page, with the words that go with it.
type drawing struct {
	Name string
	Keys []key
	Note string
	SVG  template.HTML // made of numbers and of words that are in this file
}

// key says what a colour means. Class is one of the classes of chart.Style.
type key struct{ Class, Text string }

// drawings are the pictures of a report; none when there is nothing to draw.
func (r *Report) drawings() []drawing {
	if len(r.Series.Slices) == 0 {
		return nil
	}
	all := []drawing{r.latencyDrawing(), r.throughputDrawing(), r.flightDrawing()}
	if r.Spread.Workers > 0 {
		all = append(all, r.workersDrawing())
	}
	if len(r.Histogram) > 0 {
		all = append(all, r.histogramDrawing())
	}
	return all
}

// overTime begins a picture in which each slice is a column.
func (r *Report) overTime(title, desc, unit string, most float64) *chart.Chart {
	length := time.Duration(float64(len(r.Series.Slices)) * r.Series.SliceS * float64(time.Second))
	return chart.New(chart.Options{
		Title: title + " over time", Desc: desc, Most: chart.RoundUp(max(most, 1)), Unit: unit, Ticks: chart.Times(length),
	})
}

// of is a column's value for chart.
func (r *Report) of(get func(*Slice) float64) func(int) float64 {
	return func(i int) float64 { return get(&r.Series.Slices[i]) }
}

// most is the greatest value of any slice.
func (r *Report) most(get func(*Slice) float64) float64 {
	m := 0.0
	for i := range r.Series.Slices {
		m = max(m, get(&r.Series.Slices[i]))
	}
	return m
}

// flattens is how many times the p95 of the run may be shown: one stall would make a flat line of everything else.
const flattens = 10

func (r *Report) latencyDrawing() drawing {
	measured := func(get func(*Slice) float64) func(int) float64 {
		return r.of(func(s *Slice) float64 {
			if s.Measured == 0 {
				return math.NaN()
			}
			return get(s)
		})
	}
	worst := r.most(func(s *Slice) float64 { return s.P99 })
	limit := 0.0
	for _, ms := range r.limits {
		limit = max(limit, ms)
	}
	shown := max(min(worst, flattens*r.Latency.P95), 1.25*limit)
	d := drawing{Name: "Latency", Keys: []key{{"wide", "p99"}, {"line", "p95"}, {"thin", "p50"}}, Note: "Each request counts where it should have left."}
	if chart.RoundUp(max(shown, 1)) < worst {
		d.Note += " What is higher than the picture, up to " + short(worst) + " ms, is cut off."
	}
	c := r.overTime("Latency", "p50, p95 and p99 of "+plural(r.Count, "request")+"; the figures are in the table Over time", " ms", shown)
	n := len(r.Series.Slices)
	c.Area("wide", n, measured(func(s *Slice) float64 { return s.P99 }))
	c.Line("line", n, measured(func(s *Slice) float64 { return s.P95 }))
	c.Line("thin", n, measured(func(s *Slice) float64 { return s.P50 }))
	for _, ms := range r.limits {
		c.Level("target", ms)
	}
	if len(r.limits) > 0 {
		d.Keys = append(d.Keys, key{"target", "asserted"})
	}
	d.SVG = template.HTML(c.String())
	return d
}

func (r *Report) throughputDrawing() drawing {
	intended, sent := func(s *Slice) float64 { return s.IntendedRate }, func(s *Slice) float64 { return s.SentRate }
	answered := func(s *Slice) float64 { return s.Rate }
	errors := func(s *Slice) float64 { return float64(s.Errors) / r.Series.SliceS }
	c := r.overTime("Throughput", "requests a second intended, sent, answered and failed", "/s", max(r.most(intended), r.most(sent), r.most(answered)))
	n := len(r.Series.Slices)
	c.Area("have", n, r.of(answered))
	c.Area("bad", n, r.of(errors))
	c.Line("thin", n, r.of(intended))
	c.Line("line", n, r.of(sent))
	d := drawing{Name: "Throughput", Keys: []key{{"have", "answered"}, {"line", "sent"}, {"bad", "errors"}}, SVG: template.HTML(c.String())}
	if r.OpenLoop {
		d.Keys = append(d.Keys, key{"thin", "intended (below sent where they are the same)"})
		d.Note = fmt.Sprintf("From the first to the last request %s/s intended, %s/s sent; %s/s answered.",
			short(r.IntendedRate), short(r.SentRate), short(r.Rate))
	}
	return d
}

func (r *Report) flightDrawing() drawing {
	get := func(s *Slice) float64 { return s.InFlight }
	c := r.overTime("Requests in flight", "on average in each slice", "", r.most(get))
	c.Area("wide", len(r.Series.Slices), r.of(get))
	return drawing{Name: "In flight", SVG: template.HTML(c.String()), Keys: []key{{"wide", "requests sent and not yet answered, on average"}}}
}

func (r *Report) workersDrawing() drawing {
	get := func(s *Slice) float64 { return float64(s.Workers) }
	c := r.overTime("Workers", "how many different ones answered in each slice", "", r.most(get))
	c.Area("have", len(r.Series.Slices), r.of(get))
	return drawing{Name: "Workers", SVG: template.HTML(c.String()), Keys: []key{{"have", "different workers that answered"}}}
}

func (r *Report) histogramDrawing() drawing {
	most, n := 0, len(r.Histogram)
	for _, b := range r.Histogram {
		most = max(most, b.Count)
	}
	var ticks []chart.Tick
	for i := range min(n, 4) + 1 {
		edge := i * n / min(n, 4)
		ms := r.Histogram[0].From
		if edge > 0 {
			ms = r.Histogram[edge-1].To
		}
		ticks = append(ticks, chart.Tick{At: float64(edge) / float64(n), Text: short(ms) + " ms"})
	}
	c := chart.New(chart.Options{
		Title: "Latency histogram", Desc: "how many requests took how long, on a logarithmic scale of time", Most: chart.RoundUp(float64(most)), Ticks: ticks,
	})
	c.Area("wide", n, func(i int) float64 { return float64(r.Histogram[i].Count) })
	return drawing{Name: "Latency histogram", SVG: template.HTML(c.String()), Keys: []key{{"wide", "requests"}}, Note: "Time grows by a quarter from bar to bar."}
}
