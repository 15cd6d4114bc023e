package client

import (
	"math"
	"time"
)

// Shape names how the rate of an open loop moves. Rate is the highest rate of every shape.
type Shape string

const (
	ShapeConstant Shape = "constant" // Rate all the time
	ShapeStep     Shape = "step"     // a fifth of Rate, then Rate, then a fifth: 10 %, 30 % and 60 % of the time. The demo uses it
	ShapeRamp     Shape = "ramp"     // from nothing evenly up to Rate
	ShapeSine     Shape = "sine"     // three swells between a fifth of Rate and Rate, starting low
	ShapeSpike    Shape = "spike"    // a tenth of Rate; Rate for a twentieth of the time, just before the middle
	ShapeBurst    Shape = "burst"    // ten times: Rate for a fifth of the period, then nothing
)

// Shapes lists every legal shape.
func Shapes() []Shape {
	return []Shape{ShapeConstant, ShapeStep, ShapeRamp, ShapeSine, ShapeSpike, ShapeBurst}
}

// NewPacer is the schedule of a shape that reaches rate and is stretched over total. For an unknown shape it is constant.
func NewPacer(s Shape, rate float64, total time.Duration) Pacer {
	switch s {
	case ShapeStep:
		return Step{Low: rate / 5, High: rate, Up: total / 10, Down: total * 2 / 5}
	case ShapeRamp:
		return Ramp{From: 0, To: rate, Total: total}
	case ShapeSine:
		return Sine{Low: rate / 5, High: rate, Period: total / 3}
	case ShapeSpike:
		return Step{Low: rate / 10, High: rate, Up: total * 9 / 20, Down: total / 2}
	case ShapeBurst:
		return Burst{High: rate, Period: total / 10, On: total / 50}
	}
	return Constant{PerSecond: rate}
}

// Step goes from low to high and back. A short high part makes a spike of it.
//
//	            ┌──────┐ High
//	Low ────────┘      └──────── Low
//	            Up     Down
//
//	hits(t) = Low t + (High - Low) |[Up, Down) before t|
type Step struct {
	Low, High float64
	Up, Down  time.Duration // Up <= Down
}

// Rate implements Pacer.
func (p Step) Rate(t time.Duration) float64 {
	if t >= p.Up && t < p.Down {
		return p.High
	}
	return p.Low
}

// Hits implements Pacer.
func (p Step) Hits(t time.Duration) float64 {
	return p.Low*since0(t) + (p.High-p.Low)*overlap(t, p.Up, p.Down)
}

// At implements Pacer.
func (p Step) At(n int) (time.Duration, bool) { return invert(p, n) }

// Ramp moves evenly from one rate to another and stays there.
//
//	      ┌── To           rate(t) = From + (To - From) t/T          for t < T, then To
//	     ╱
//	From              hits(t) = From t + (To - From) t²/2T    for t < T, then hits(T) + To (t - T)
type Ramp struct {
	From, To float64
	Total    time.Duration
}

// Rate implements Pacer.
func (p Ramp) Rate(t time.Duration) float64 {
	if t >= p.Total {
		return p.To
	}
	return p.From + (p.To-p.From)*since0(t)/p.Total.Seconds()
}

// Hits implements Pacer.
func (p Ramp) Hits(t time.Duration) float64 {
	climb, after := overlap(t, 0, p.Total), max(t-p.Total, 0).Seconds()
	if climb == 0 {
		return p.To * after
	}
	return p.From*climb + (p.To-p.From)*climb*climb/(2*p.Total.Seconds()) + p.To*after
}

// At implements Pacer.
func (p Ramp) At(n int) (time.Duration, bool) { return invert(p, n) }

// Sine swells between two rates, starting at the low one.
//
//	High  ╭╮  ╭╮       rate(t) = m - a cos(2πt/P)       m = (High + Low)/2, a = (High - Low)/2
//	Low  ╯  ╰╯  ╰      hits(t) = m t - aP/2π sin(2πt/P)
type Sine struct {
	Low, High float64
	Period    time.Duration
}

// Rate implements Pacer.
func (p Sine) Rate(t time.Duration) float64 {
	m, a, w := p.parts()
	return m - a*math.Cos(w*since0(t))
}

// Hits implements Pacer.
func (p Sine) Hits(t time.Duration) float64 {
	m, a, w := p.parts()
	x := since0(t)
	return m*x - a/w*math.Sin(w*x)
}

// At implements Pacer.
func (p Sine) At(n int) (time.Duration, bool) { return invert(p, n) }

func (p Sine) parts() (mean, amplitude, omega float64) {
	return (p.High + p.Low) / 2, (p.High - p.Low) / 2, 2 * math.Pi / max(p.Period, 1).Seconds()
}

// Burst sends at High for the first part of each period and nothing for the rest.
//
//	┌┐   ┌┐   ┌┐ High       hits(t) = High (On floor(t/P) + min(t mod P, On))
//	┘└───┘└───┘└── 0
type Burst struct {
	High       float64
	Period, On time.Duration // 0 < On <= Period
}

// Rate implements Pacer.
func (p Burst) Rate(t time.Duration) float64 {
	if max(t, 0)%max(p.Period, 1) < p.On {
		return p.High
	}
	return 0
}

// Hits implements Pacer.
func (p Burst) Hits(t time.Duration) float64 {
	t, period := max(t, 0), max(p.Period, 1)
	return p.High * (p.On*(t/period) + min(t%period, p.On)).Seconds()
}

// At implements Pacer.
func (p Burst) At(n int) (time.Duration, bool) { return invert(p, n) }
