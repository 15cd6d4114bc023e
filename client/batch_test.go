package client

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestNothingIsLostInABatch(t *testing.T) {
	r := newRecorder()
	b := newBatches(r)
	const callers, each = 30, 1000
	var running sync.WaitGroup
	for i := range callers {
		running.Go(func() {
			for range each {
				x := answeredBy(fmt.Sprint(i), time.Millisecond)
				b.record(i, &x)
			}
		})
	}
	running.Go(func() {
		for range 100 {
			b.flush()
		}
	})
	running.Wait()
	b.flush()
	b.flush() // hands nothing on twice
	if report := r.report(Options{}, plan{}, false); report.Count != callers*each || report.Spread != (Spread{callers, each, 0}) {
		t.Errorf("%d results, %+v", report.Count, report.Spread)
	}
}

// TestABatchWaitsForTheRecorderOnlyWhenItIsLong: and what is in it is recorded as soon as the recorder has time.
func TestABatchWaitsForTheRecorderOnlyWhenItIsLong(t *testing.T) {
	r := newRecorder()
	b := newBatches(r)
	x := answeredBy("w", time.Millisecond)
	r.mu.Lock() // it is busy
	for range batchMost - 1 {
		b.record(0, &x)
	}
	if r.count != 0 || len(b.list[0].results) != batchMost-1 {
		t.Errorf("%d recorded, %d waiting", r.count, len(b.list[0].results))
	}
	waits := make(chan struct{})
	go func() {
		defer close(waits)
		b.record(0, &x)
	}()
	runtime.Gosched()
	select {
	case <-waits:
		t.Error("a batch grows without end")
	default:
	}
	r.mu.Unlock()
	<-waits
	if r.count != batchMost || len(b.list[0].results) != 0 {
		t.Errorf("%d recorded, %d waiting", r.count, len(b.list[0].results))
	}
}
