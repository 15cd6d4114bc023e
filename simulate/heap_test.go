package simulate

import (
	"slices"
	"testing"
	"testing/quick"
)

func TestAHeapYieldsInOrder(t *testing.T) {
	sorts := func(items []int16, pops uint8) bool {
		h := heap[int16]{before: func(a, b int16) bool { return a < b }}
		var rest []int16
		for i, item := range items {
			h.push(item)
			rest = append(rest, item)
			if i%7 == int(pops%7) { // now and then one leaves
				least := slices.Min(rest)
				rest = slices.Delete(rest, slices.Index(rest, least), slices.Index(rest, least)+1)
				if h.first() != least || h.pop() != least {
					return false
				}
			}
		}
		for _, want := range slices.Sorted(slices.Values(rest)) {
			if h.pop() != want {
				return false
			}
		}
		return h.len() == 0
	}
	if err := quick.Check(sorts, nil); err != nil {
		t.Error(err)
	}
}
