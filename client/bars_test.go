package client

import (
	"testing"
	"time"
)

func TestBarsHoldEverythingAndHaveNoGaps(t *testing.T) {
	var h histogram
	if len(h.bars()) != 0 || h.bars() == nil {
		t.Error("an empty histogram has bars, or is no list in JSON")
	}
	for d := time.Duration(0); d < 2*time.Hour; d = d*3/2 + 700 {
		h.record(d)
	}
	bars, n := h.bars(), 0
	for i, b := range bars {
		n += b.Count
		if b.From >= b.To || i > 0 && b.From != bars[i-1].To {
			t.Errorf("bar %d is from %v to %v", i, b.From, b.To)
		}
	}
	first, last := bars[0], bars[len(bars)-1]
	if n != h.n || first.From != 0.001 || last.From > 3.6e6 || last.To < 3.6e6 || first.Count == 0 || last.Count == 0 {
		t.Errorf("%d of %d from %+v to %+v", n, h.n, first, last)
	}
}

func TestABarBeginsWithItsLowerEdge(t *testing.T) {
	for ms, want := range map[float64]Bar{
		0.001: {From: 0.001, To: 0.00125}, 1: {From: 1, To: 1.25}, 1.249: {From: 1, To: 1.25}, 99.9: {From: 80, To: 100}, 100: {From: 100, To: 125},
		249: {From: 200, To: 250}, 250: {From: 250, To: 320}, 319: {From: 250, To: 320},
	} {
		if k := barOf(ms); barEdge(k) != want.From || barEdge(k+1) != want.To {
			t.Errorf("%v ms is in the bar from %v to %v, want %+v", ms, barEdge(k), barEdge(k+1), want)
		}
	}
}

func TestAWorkerSetCountsEachOnce(t *testing.T) {
	var a, b workerSet
	for _, n := range []int{0, 63, 64, 64, 10_000, noWorker} {
		a.add(n)
	}
	b.add(63)
	b.add(1)
	b.addAll(a)
	if a.len() != 4 || b.len() != 5 || workerSet(nil).len() != 0 {
		t.Errorf("%d, %d", a.len(), b.len())
	}
}
