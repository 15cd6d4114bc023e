package client

import "math"

// Bar is how many times there were from From up to but not including To, in milliseconds. Ten bars make a decade: 1, 1.25, 1.6, 2, 2.5,
// 3.2, 4, 5, 6.3, 8 (the preferred numbers R10), so that a millisecond and a minute can be told apart in one picture.
type Bar struct {
	From  float64 `json:"from_ms"`
	To    float64 `json:"to_ms"`
	Count int     `json:"count"`
}

const (
	barsPerDecade = 10
	shortest      = 0.001 // a histogram knows nothing shorter
)

// bars are all from the first that holds anything to the last; none when nothing was recorded.
func (h *histogram) bars() []Bar {
	bars := []Bar{}
	if h.n == 0 {
		return bars
	}
	last := 0
	for _, b := range h.buckets.Distribution() {
		if b.Count == 0 {
			continue
		}
		k := barOf(max(float64(b.To)/1000, shortest))
		if len(bars) == 0 {
			last = k - 1
		}
		for ; last < k; last++ {
			bars = append(bars, Bar{From: barEdge(last + 1), To: barEdge(last + 2)})
		}
		bars[len(bars)-1].Count += int(b.Count)
	}
	return bars
}

// barOf is the number of the bar that a time of so many milliseconds, more than 0, belongs to: the one from 1 ms is 0.
func barOf(ms float64) int {
	k := int(math.Floor(math.Log10(ms) * barsPerDecade))
	for ms >= barEdge(k+1) {
		k++
	}
	for ms < barEdge(k) {
		k--
	}
	return k
}

// barEdge is where bar k begins, in milliseconds.
func barEdge(k int) float64 {
	decade := math.Floor(float64(k) / barsPerDecade)
	step := k - int(decade)*barsPerDecade
	v := [barsPerDecade]float64{1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8}[step] * math.Pow(10, decade)
	return math.Round(v*1e5) / 1e5
}
