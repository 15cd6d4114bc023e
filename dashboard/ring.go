package dashboard

// ring keeps the last of what is added, in memory that is taken as it fills and never grows beyond its size.
type ring[T any] struct {
	all  []T
	next int // where the oldest is once it is full
	size int
}

func newRing[T any](size int) ring[T] { return ring[T]{size: size} }

func (r *ring[T]) add(v T) {
	if len(r.all) < r.size {
		r.all = append(r.all, v)
		return
	}
	r.all[r.next] = v
	r.next = (r.next + 1) % r.size
}

func (r *ring[T]) len() int { return len(r.all) }

// at yields the i-th, 0 being the oldest.
func (r *ring[T]) at(i int) T { return r.all[(r.next+i)%len(r.all)] }
