// Package clocktest has a clock that somebody sets while a test runs: times show another date and go on measuring as if nothing had happened, which
// is what becomes of a program's times when its machine's clock is set.
package clocktest

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// Clock is time.Now until it is set. It may be used concurrently.
type Clock struct {
	ahead atomic.Int64
}

// Set puts the date so far ahead of the true one, in whole seconds; behind it when by is negative.
func (c *Clock) Set(by time.Duration) { c.ahead.Store(int64(by / time.Second)) }

// Now is the time on this clock.
func (c *Clock) Now() time.Time { return set(time.Now(), c.ahead.Load()) }

// layout is a time.Time that measures too: a bit that says so, the seconds of the date since 1885 and its nanoseconds; and what it measures with.
type layout struct {
	wall uint64
	ext  int64
	loc  *time.Location
}

const (
	measures = 1 << 63
	seconds  = 30 // the bit at which they begin
)

// set changes the date of a time and leaves alone what it measures with. No method does that: only the kernel ever makes such times. In a bubble
// of synctest times are nothing but dates; there the date as it would be measures.
func set(t time.Time, ahead int64) time.Time {
	const y1885 = -2682288000 // its first second
	l := *(*layout)(unsafe.Pointer(&t))
	if l.wall&measures == 0 {
		l.ext = 1 + int64(t.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
	}
	l.wall = measures | uint64(t.Unix()-y1885+ahead)<<seconds | uint64(t.Nanosecond())
	dated := *(*time.Time)(unsafe.Pointer(&l))
	if dated.Unix()-t.Unix() != ahead || dated.Add(time.Hour).Sub(dated) != time.Hour {
		panic("clocktest: a time.Time is not laid out as it was")
	}
	return dated
}
