package policy

// erlang is the M/M/c queue, grown one server at a time: Erlang B, the share that finds every server busy and goes away, by the recursion
// 1/B(0) = 1, 1/B(c) = 1 + c/a * 1/B(c-1), which needs none of the factorials of the textbook.
type erlang struct {
	load    float64 // a
	servers int     // c
	inverse float64 // 1/B
	perLoad float64 // 1/a
}

func newErlang(load float64) erlang { return erlang{load: load, inverse: 1, perLoad: 1 / load} }

func (e *erlang) addServer() {
	e.servers++
	e.inverse = 1 + float64(e.servers)*e.perLoad*e.inverse
}

// waits is Erlang C: the share of arrivals that find every server busy and wait. It is 1 when the servers do not keep up.
func (e *erlang) waits() float64 {
	c := float64(e.servers)
	if c <= e.load {
		return 1
	}
	blocked := 1 / e.inverse
	return blocked / (1 - e.load/c*(1-blocked))
}
