package policy

import "math/bits"

// Service times are counted in log-linear cells: each octave of about a microsecond is cut into 8 equal parts, and below 8 us every unit has
// its own. A cell is an eighth to a sixteenth of its lower edge wide, which is the ratio of 1.1 that the findings used, and where a time
// belongs is found without a logarithm. The last cell ends after 73 minutes.
const (
	unit     = 1024e-9 // seconds
	partBits = 3
	parts    = 1 << partBits
	topBits  = 32
	cells    = (topBits-partBits)*parts + parts
	longest  = unit * (1 << topBits) // seconds
)

// cellOf returns the cell that x seconds belong to, and how far into it they are, 0 to 1. What is longer than the last cell belongs to its end.
func cellOf(x float64) (cell int, into float64) {
	u := x * (1 / unit)
	switch {
	case !(u > 0):
		return 0, 0
	case u >= 1<<topBits:
		return cells - 1, 1
	}
	n := uint64(u)
	if n < parts {
		return int(n), u - float64(n)
	}
	octave := bits.Len64(n) - partBits - 1
	lower := n >> octave << octave
	return octave*parts + int(n>>octave), (u - float64(lower)) / float64(uint64(1)<<octave)
}

// edgeOf returns the lower edge of a cell, in seconds.
func edgeOf(cell int) float64 {
	if cell < 2*parts {
		return float64(cell) * unit
	}
	octave := cell/parts - 1
	return float64(uint64(cell-octave*parts)<<octave) * unit
}
