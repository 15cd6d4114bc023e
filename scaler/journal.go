package scaler

import (
	"slices"
	"sync"
	"time"

	"understudy/scaler/policy"
)

// Entry is one decision that changed something or had a new reason, with what it rested on.
type Entry struct {
	At       time.Time
	Pool     string
	From, To int // workers wanted in rotation before and after
	Decision policy.Decision
	Input    policy.Snapshot
	Note     string // what came of it when that is not plain: why a start was refused, what failed
}

// Direction is "up", "down" or "hold".
func (e Entry) Direction() string {
	switch {
	case e.To > e.From:
		return "up"
	case e.To < e.From:
		return "down"
	default:
		return "hold"
	}
}

// Journal keeps the last decisions of every pool. All methods may be called concurrently.
type Journal struct {
	mu      sync.Mutex
	entries []Entry // ring
	next    int
	total   uint64
	size    int
}

// NewJournal keeps the last size entries.
func NewJournal(size int) *Journal { return &Journal{size: max(size, 1)} }

// Add appends an entry, pushing out the oldest when full.
func (j *Journal) Add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total++
	if len(j.entries) < j.size {
		j.entries = append(j.entries, e)
		return
	}
	j.entries[j.next] = e
	j.next = (j.next + 1) % j.size
}

// Last yields up to n entries, oldest first.
func (j *Journal) Last(n int) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := slices.Concat(j.entries[j.next:], j.entries[:j.next])
	return all[max(0, len(all)-max(n, 0)):]
}

// Total counts the entries ever added, so that a reader can tell how many it missed.
func (j *Journal) Total() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total
}
