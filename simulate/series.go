package simulate

import "time"

// columns is how many points a picture has.
const columns = 240

// series is how a run went over time, in columns of equal width. What comes after the last one is not kept.
type series struct {
	width   time.Duration
	columns []column

	latency *histogram // of the column that is filling
	filling int
}

// column is what happened in one stretch of time.
type column struct {
	p50, p95      time.Duration
	ended, over   int
	workers, busy time.Duration // x time
}

func newSeries(length time.Duration) *series {
	width := max(time.Second, (length+columns-1)/columns)
	return &series{width: width, columns: make([]column, (length+width-1)/width), latency: coarse()}
}

// cover adds workers, of which so many were busy, between two moments. Calls need not be in order.
func (s *series) cover(from, to time.Duration, workers, busy int) {
	for i := int(from / s.width); i < len(s.columns) && from < to; i++ {
		until := min(to, time.Duration(i+1)*s.width)
		s.columns[i].workers += time.Duration(workers) * (until - from)
		s.columns[i].busy += time.Duration(busy) * (until - from)
		from = until
	}
}

// answered adds one latency. Calls must be in order.
func (s *series) answered(now, total time.Duration, over bool) {
	i := min(int(now/s.width), len(s.columns)-1)
	if i != s.filling {
		s.close()
		s.filling = i
	}
	c := &s.columns[i]
	c.ended++
	if over {
		c.over++
	}
	s.latency.record(total)
}

// close works out the percentiles of the column that was filling.
func (s *series) close() {
	if c := &s.columns[s.filling]; c.ended > 0 {
		c.p50, c.p95 = s.latency.at(50), s.latency.at(95)
		s.latency.buckets.Reset()
	}
}

// add lays another pool's series over this one. Of two percentiles the greater stays.
func (s *series) add(o *series) {
	for i := range s.columns {
		a, b := &s.columns[i], o.columns[i]
		a.p50, a.p95 = max(a.p50, b.p50), max(a.p95, b.p95)
		a.ended, a.over = a.ended+b.ended, a.over+b.over
		a.workers, a.busy = a.workers+b.workers, a.busy+b.busy
	}
}
