package dashboard

// Columns are all samples of one pool, oldest first, a list for each figure: the names are written once and not nine hundred times.
type Columns struct {
	Pool     string    `json:"pool"`
	At       []int64   `json:"at"`
	P50      []float32 `json:"p50_ms"`
	P95      []float32 `json:"p95_ms"`
	P99      []float32 `json:"p99_ms"`
	Rate     []float32 `json:"rate"`
	Queue    []int32   `json:"queue"`
	InFlight []int32   `json:"inflight"`
	Desired  []int32   `json:"desired"`
	Active   []int32   `json:"active"`
	Spare    []int32   `json:"spare"`
	Starting []int32   `json:"starting"`
	Draining []int32   `json:"draining"`
	Failed   []int32   `json:"failed"`
}

// Columns yields what is remembered of a pool.
func (h *History) Columns(pool string) Columns {
	c := Columns{Pool: pool}
	n := 0
	k := h.pools[pool]
	if k != nil {
		n = k.samples.len()
	}
	c.At = make([]int64, n)
	for _, f := range []*[]float32{&c.P50, &c.P95, &c.P99, &c.Rate} {
		*f = make([]float32, n)
	}
	for _, f := range []*[]int32{&c.Queue, &c.InFlight, &c.Desired, &c.Active, &c.Spare, &c.Starting, &c.Draining, &c.Failed} {
		*f = make([]int32, n)
	}
	for i := range n {
		c.put(i, k.samples.at(i))
	}
	return c
}

func (c *Columns) put(i int, s Sample) {
	c.At[i] = s.At
	c.P50[i], c.P95[i], c.P99[i], c.Rate[i] = s.P50, s.P95, s.P99, s.Rate
	c.Queue[i], c.InFlight[i], c.Desired[i] = s.Queue, s.InFlight, s.Desired
	c.Active[i], c.Spare[i], c.Starting[i], c.Draining[i], c.Failed[i] = s.Active, s.Spare, s.Starting, s.Draining, s.Failed
}
