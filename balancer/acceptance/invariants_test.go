package acceptance

import (
	"os"
	"runtime"
	"strings"

	"understudy/fleet"
)

// lingering is where net/http waits for half a second on a connection it has closed, so that the client sees its answer and not a reset.
const lingering = "net/http.(*conn).closeWriteAndWait"

// resources are what a process can leak.
type resources struct{ fds, goroutines int }

// now counts the resources in use. Each connection that net/http lingers on is one of either, and goes by itself.
func now() resources {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	stacks := string(buf[:n])
	entries, _ := os.ReadDir("/proc/self/fd")
	lingering := strings.Count(stacks, lingering+"(")
	closing := strings.Count(stacks, "acceptance.(*world).closeLater(")
	return resources{len(entries) - lingering, strings.Count(stacks, "\n\ngoroutine ") + 1 - lingering - closing}
}

// settled counts when the count stands still: what the row before left behind takes a moment to go.
func settled() resources {
	last := now()
	same := 0
	until(func() bool {
		next := now()
		if next == last {
			same++
		} else {
			last, same = next, 0
		}
		return same == 2
	})
	return last
}

// invariants are what holds after every row.
func (x *trial) invariants() {
	x.closeClients()
	if !until(x.idle) {
		x.Errorf("slots are still taken: %+v", x.fleet.Status())
	}
	x.nextIsServed()
	if !x.row.fault {
		x.nobodyIsBlamed()
	}
	x.closeClients()
	for _, one := range x.fleet.Workers() {
		x.fleet.Remove(one.ID)
	}
	for _, rec := range x.recorders {
		if !rec.hungUp() {
			x.Errorf("a connection to worker %s stays open without anybody to use it", rec.id)
		}
		rec.close()
	}
	x.onlyWhatWasSent()
	x.nothingIsLeft()
}

// nextIsServed: I2. A worker that failed for good has none behind it, so the row says when there is nobody.
func (x *trial) nextIsServed() {
	if x.ended || len(x.fleet.Workers(fleet.Active, fleet.Spare)) == 0 {
		return
	}
	request := "GET " + after + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	if a, err := x.dial().send(request).read(request); err != nil || a.status != 200 {
		x.Errorf("the next client is not served: %v %+v", err, a)
	}
}

// nobodyIsBlamed: I4 and I5.
func (x *trial) nobodyIsBlamed() {
	for _, one := range x.fleet.Workers() {
		if _, state, _ := x.fleet.Worker(one.ID); state != fleet.Active {
			x.Errorf("worker %s is %s", one.ID, state)
		}
	}
	m, _ := x.fleet.Measure("general")
	if m.Latency.Failed > 0 || x.books.of("lost") > 0 || x.books.of("retry") > 0 {
		x.Errorf("a worker is blamed: %d failed, %v", m.Latency.Failed, x.books.counts)
	}
	x.books.mu.Lock()
	defer x.books.mu.Unlock()
	if n := x.books.codes[502] + x.books.codes[504] + x.books.codes[500]; n > 0 {
		x.Errorf("a client's fault is answered as if it were a worker's: %v", x.books.codes)
	}
}

// onlyWhatWasSent: I3, and that all of it is well formed. What broke off is an aborted request.
func (x *trial) onlyWhatWasSent() {
	got := map[string]int{}
	for _, rec := range x.recorders {
		for _, m := range rec.seen {
			if m.fault != nil && !m.broken() {
				x.Errorf("worker %s got what HTTP does not allow: %v in %q", rec.id, m.fault, m.start)
			}
		}
		for _, m := range rec.requests() {
			got[m.request()]++
		}
	}
	for request, n := range got {
		if n > x.want[request].most {
			x.Errorf("workers saw %q %d times, at most %d expected", request, n, x.want[request].most)
		}
	}
	for request, want := range x.want {
		if got[request] < want.least {
			x.Errorf("workers saw %q %d times, at least %d expected; they saw %v", request, got[request], want.least, got)
		}
	}
}

// nothingIsLeft: I1.
func (x *trial) nothingIsLeft() {
	var last resources
	if until(func() bool {
		last = now()
		return last.fds <= x.bare.fds && last.goroutines <= x.bare.goroutines
	}) {
		return
	}
	buf := make([]byte, 1<<20)
	x.Errorf("left behind: %+v, before %+v\n%v\n%s", last, x.bare, descriptors(), buf[:runtime.Stack(buf, true)])
}

// descriptors says what is open.
func descriptors() []string {
	entries, _ := os.ReadDir("/proc/self/fd")
	var list []string
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		list = append(list, to)
	}
	return list
}
