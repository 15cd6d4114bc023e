package scaler

import (
	"cmp"
	"fmt"

	"understudy/driver"
)

// rotate puts a worker that answered into rotation, under its address. It reports false when the fleet does not want it any more.
func (s *Scaler) rotate(o *owned, inst driver.Instance, most int) bool {
	s.evict(o, inst.Address)
	return s.Fleet.Ready(o.worker.ID, inst.Address, most)
}

// evict fails whoever else was thought to be at an address: an engine gives that of a container that has ended to the next one, perhaps before
// anybody has noticed the end. Otherwise the new worker would be sent what was meant for the old one, of another pool even, and a worker that
// need not tell its identity would keep the dead one alive.
func (s *Scaler) evict(o *owned, address string) {
	for _, other := range s.owned {
		if other != o && !other.starting && other.worker.Address == address {
			s.Fleet.Fail(other.worker.ID, "its address belongs to worker "+o.worker.ID+" now")
		}
	}
}

// moved says that a worker is not where it was.
func moved(from, to string) error {
	return fmt.Errorf("it is reached at %s instead of %s", cmp.Or(to, "no address"), from)
}
