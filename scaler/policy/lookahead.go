package policy

import "math"

const (
	steps      = 16
	maxGroups  = 32   // of equal size: requests that wait, tasks in service
	maxStarts  = 128  // looked at; more are never ready within the horizon
	forgotten  = 1e-4 // a task that has lasted longer than all but this share is expected to last as long again
	soonest    = 0.05 // seconds until a start is ready that should have been by now
	queueParts = maxGroups + 1
)

// outlook is what the look-ahead (formula 3) plays against any number of workers: the queue, the tasks in service, the starts in flight and the
// forecast arrivals over D + T + S seconds in 16 steps. It is a fluid: amounts of requests, not requests.
//
// What it plays with is not in it but given along: a law is three times as large as all of this, and would be copied at each decision.
type outlook struct {
	target float64
	step   float64 // h in seconds
	n      float64 // N: requests that wait or are forecast

	stays   [steps]float64              // o_j: slots that a request started j steps before still occupies
	old     [steps]float64              // slots that the tasks now in service still occupy
	waiting [queueParts + steps]portion // in order of arrival: who waits now, then who comes in each step
	queued  int                         // portions of those who wait now

	ready  int // R: workers of ours that can take a task now
	slots  int // a worker has
	others int // slots that are not ours
	starts [maxStarts]float64
	nStart int
}

// portion is an amount of requests that arrived, or will, at so many seconds from now.
type portion struct{ n, at float64 }

// outcome of playing: how many of the N would miss the target by waiting, and how many would still wait in the end.
type outcome struct{ missed, left float64 }

// cost is M(c). Whoever still waits at the horizon costs one more, or else nothing done for them would pay when all within the horizon is lost.
func (o outcome) cost() float64 { return o.missed + o.left }

// lookAhead sets the scene for one service law.
func (v *view) lookAhead(o *outlook, l *law, f *forecast) {
	horizon := v.startTime() + v.target + l.mean
	*o = outlook{
		target: v.target, step: horizon / steps,
		ready: v.ready(), slots: v.cfg.Concurrency, others: v.in.Others,
	}
	for _, q := range v.queue() {
		o.waiting[o.queued] = portion{q.n, -q.age}
		o.n += q.n
		o.queued++
	}
	for k := range steps {
		middle := (float64(k) + 0.5) * o.step
		come := f.at(middle) * o.step
		o.waiting[o.queued+k] = portion{come, middle}
		o.n += come
	}
	o.occupy(l, v.tasks(), v.scale)
	if v.in.Withheld > 0 {
		o.occupy(l, []group{{0, float64(v.in.Withheld)}}, v.scale)
	}
	o.nStart = v.startsReady(&o.starts, horizon)
}

// occupy says how long tasks stay: those that will be started, and those in service given their age.
func (o *outlook) occupy(l *law, tasks []group, scale float64) {
	h, before := o.step, 0.0
	for j := range o.stays {
		upTo := l.until(float64(j+1) * h)
		o.stays[j] = (upTo - before) / h
		before = upTo
	}
	for _, t := range tasks {
		age := t.age * scale
		alive := l.survives(age)
		if alive < forgotten {
			o.lastAsLongAgain(age, t.n)
			continue
		}
		before, each := l.until(age), t.n/(h*alive)
		for k := range o.old {
			upTo := l.until(age + float64(k+1)*h)
			if upTo-before < forgotten*h {
				break
			}
			o.old[k] += (upTo - before) * each
			before = upTo
		}
	}
}

// lastAsLongAgain is for tasks older than anything known.
func (o *outlook) lastAsLongAgain(age, n float64) {
	fades := math.Exp(-o.step / age)
	now := n * age / o.step * (1 - fades)
	for k := range o.old {
		o.old[k] += now
		now *= fades
	}
}

// startsReady says when each start would be ready, in seconds from now, as far as that is within the horizon: those in flight first, then as many
// more as there may be through the slots of the driver, each of which takes D.
func (v *view) startsReady(at *[maxStarts]float64, horizon float64) (n int) {
	takes := v.startTime()
	var free [maxParallel]float64
	slots := free[:v.cfg.Parallel]
	for i, elapsed := range v.in.Begun[:min(len(v.in.Begun), maxStarts)] {
		at[n] = max(soonest, takes-elapsed.Seconds())
		if i < len(slots) {
			slots[i] = at[n]
		}
		n++
	}
	for n < maxStarts {
		first := 0
		for i := range slots {
			if slots[i] < slots[first] {
				first = i
			}
		}
		slots[first] += takes
		if slots[first] >= horizon {
			break
		}
		at[n] = slots[first]
		n++
	}
	return n
}

// capacity is c_k: the slots that so many workers have in each step. Those beyond the ready ones count from when their start is ready.
func (o *outlook) capacity(workers int) (c [steps]float64) {
	always := float64(min(workers, o.ready)*o.slots + o.others)
	each := float64(o.slots)
	var more [steps + 1]float64 // what is added in each step
	for _, at := range o.starts[:min(max(0, workers-o.ready), o.nStart)] {
		if k := int(at / o.step); k < steps {
			share := each * (float64(k+1) - at/o.step)
			more[k] += share
			more[k+1] += each - share
		}
	}
	for k := range c {
		always += more[k]
		c[k] = always
	}
	return c
}

// play lets so many workers take the requests first in, first out. In step k there is room for x_k = (c_k - old_k - sum of x_(k-j) o_j) / o_0 of them.
// They are started at the beginning of the step: in its middle, half a step later, the same misses cost 2 % more workers and 8 % more starts.
func (o *outlook) play(l *law, workers int) outcome {
	capacity := o.capacity(workers)
	var taken [steps]float64
	var out outcome
	stays := o.stays
	head, rest := 0, o.waiting[0].n // the first that waits, and what remains of it
	for k := range steps {
		room := capacity[k] - o.old[k]
		for j := 1; j <= k; j++ {
			room -= taken[k-j] * stays[j]
		}
		room /= stays[0]
		now := float64(k) * o.step
		for room > 0 && head <= o.queued+k {
			amount := min(room, rest)
			out.missed += amount * l.late(max(0, now-o.waiting[head].at), o.target)
			taken[k] += amount
			room -= amount
			if rest -= amount; rest > 0 {
				break
			}
			if head++; head == o.queued+steps {
				return out
			}
			rest = o.waiting[head].n
		}
	}
	o.remain(l, &out, head, rest, capacity[steps-1])
	return out
}

// remain adds who still waits at the horizon, as if they were then served one after the other.
func (o *outlook) remain(l *law, out *outcome, head int, rest, capacity float64) {
	horizon, ahead := o.step*steps, 0.0
	for ; head < o.queued+steps; head++ {
		if rest > 0 {
			wait := math.Inf(1)
			if capacity > 0 {
				wait = horizon - o.waiting[head].at + (ahead+rest/2)*l.mean/capacity
			}
			out.missed += rest * l.late(wait, o.target)
			out.left += rest
			ahead += rest
		}
		rest = o.waiting[min(head+1, len(o.waiting)-1)].n
	}
}
