package client

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"understudy/trace"
)

// task is one request to be made.
type task struct {
	at         time.Duration // intended send, from the start of the run; unused in a closed loop
	capability string
	body       []byte
	sum        *arithmetic // what the answer must be; nil: any answer will do
}

// arithmetic is a sum whose result the client knows.
type arithmetic struct {
	a, b int
	op   byte // '*' or '+'
}

func (s arithmetic) result() int {
	if s.op == '*' {
		return s.a * s.b
	}
	return s.a + s.b
}

func (s arithmetic) String() string {
	return strconv.Itoa(s.a) + string(s.op) + strconv.Itoa(s.b)
}

// maker makes the requests of a run. The same options and seed make the same requests in the same order. Not safe for concurrent use.
type maker struct {
	mix        Mix
	bodies     map[string][]byte
	bodiless   bool // GET and HEAD
	unverified bool
	random     *rand.Rand
}

func newMaker(o Options) *maker {
	return &maker{
		mix:        o.Mix,
		bodies:     o.Bodies,
		bodiless:   o.bodiless(),
		unverified: o.Unverified,
		random:     rand.New(rand.NewPCG(o.Seed, 0x756e6465727374)),
	}
}

// unknownMS stands for "the trace does not say how long this takes".
const unknownMS = trace.Unknown

// make is a request for capability, or for one the mix chooses when it is empty, that shall take ms when that is known.
func (m *maker) make(at time.Duration, capability string, ms float64) task {
	if capability == "" {
		capability = m.mix.choose(m.random)
	}
	t := task{at: at, capability: capability}
	if m.bodiless {
		return t
	}
	if body, ok := m.given(capability); ok {
		t.body = body
		return t
	}
	switch capability {
	case "mult":
		t.sum = &arithmetic{m.small(), m.small(), '*'}
	case "add":
		t.sum = &arithmetic{m.small(), m.small(), '+'}
	}
	t.body = appendBody(make([]byte, 0, 48), t.sum, ms)
	if m.unverified {
		t.sum = nil
	}
	return t
}

func (m *maker) given(capability string) ([]byte, bool) {
	body, ok := m.bodies[capability]
	if !ok {
		body, ok = m.bodies[""]
	}
	return body, ok
}

func (m *maker) small() int { return 1 + m.random.IntN(99) }

// appendBody writes {"a":6,"b":7,"ms":250}, leaving out what is not known. Milliseconds keep three decimals, so that a trace played
// faster does not lose its short tasks.
func appendBody(b []byte, sum *arithmetic, ms float64) []byte {
	b = append(b, '{')
	if sum != nil {
		b = strconv.AppendInt(append(b, `"a":`...), int64(sum.a), 10)
		b = strconv.AppendInt(append(b, `,"b":`...), int64(sum.b), 10)
	}
	if ms != unknownMS {
		if sum != nil {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(append(b, `"ms":`...), math.Round(ms*1000)/1000, 'f', -1, 64)
	}
	return append(b, '}')
}
