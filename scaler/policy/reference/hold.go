package reference

import "time"

// The hold window: workers stay in rotation until the need has been lower for 30 s, so that load that comes and goes does not start
// and remove workers each time.
const holdSlot = time.Second

// hold notes the need of this moment and returns the greatest of the last 30 s.
func (v *view) hold(need int) int {
	v.mem.needs.note(v.now, holdSlot, need)
	return max(v.cfg.Min, v.mem.needs.greatest())
}

// peakSlots are enough for 30 full slots and the one that is still filling.
const peakSlots = 31

// peak is the greatest of the counts noted in a sliding window of 30 slots.
type peak struct {
	slots [peakSlots]int32
	head  int64 // number of the newest slot
}

func (p *peak) note(now, width time.Duration, n int) {
	slot := int64(now / width)
	for p.head < slot {
		p.head = max(p.head+1, slot-peakSlots+1)
		p.slots[p.head%peakSlots] = 0
	}
	at := &p.slots[p.head%peakSlots]
	*at = max(*at, int32(count(n)))
}

func (p *peak) greatest() int {
	var most int32
	for _, n := range p.slots {
		most = max(most, n)
	}
	return int(most)
}
