package policy

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestEveryTimeBelongsToTheCellWhoseEdgesAreAroundIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		x := math.Exp(r.Float64()*25 - 16) // 0.1 us to 2 h
		cell, into := cellOf(x)
		if x >= longest {
			if cell != cells-1 || into != 1 {
				t.Fatalf("%v s, too long, is %v into cell %d", x, into, cell)
			}
			continue
		}
		from, to := edgeOf(cell), edgeOf(cell+1)
		if x < from || x >= to || math.Abs(from+into*(to-from)-x) > 1e-9*x {
			t.Fatalf("%v s is %v into cell %d, which goes from %v to %v", x, into, cell, from, to)
		}
		if cell >= parts && (to-from > from/parts*1.0001 || to-from < from/parts/2.0001) {
			t.Fatalf("cell %d goes from %v to %v", cell, from, to)
		}
	}
}

func TestWhatIsNoTimeBelongsToTheFirstCell(t *testing.T) {
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(-1)} {
		if cell, into := cellOf(x); cell != 0 || into != 0 {
			t.Errorf("%v is %v into cell %d", x, into, cell)
		}
	}
	if cell, _ := cellOf(math.Inf(1)); cell != cells-1 {
		t.Errorf("infinity is in cell %d", cell)
	}
}
