package balancer

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"understudy/fleet"
)

// watched has somebody answer each question about the engine, after a while, by what there tells.
func (w ward) watched(t *testing.T, after time.Duration, there func() bool) {
	t.Helper()
	engine := w.f.Engine()
	engine.Watch(true)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		ticker := time.NewTicker(10 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-engine.Questions():
			case <-ticker.C:
			}
			question := engine.Asked()
			timer := time.NewTimer(after)
			select {
			case <-timer.C:
				engine.Answer(question, there())
			case <-ctx.Done():
			}
			timer.Stop()
		}
	}()
}

// in counts the workers in a state, or those that are lost.
func (w ward) in(state string) (n int) {
	for _, one := range w.f.Status()[0].Workers {
		switch {
		case state == "lost" && one.Lost, state == one.State.String() && !one.Lost:
			n++
		}
	}
	return n
}

// crowd adds four workers of ours and lets them all answer so from now on.
func (w ward) crowd(t *testing.T) (answer func(error)) {
	t.Helper()
	for i := range 4 {
		w.add(t, fmt.Sprint("w", i), fleet.Cold)
	}
	return func(err error) {
		for i := range 4 {
			w.set(fmt.Sprint("http://w", i), err)
		}
	}
}

func TestWorkersOutOfReachOfAnEngineThatIsAwayAreLostAndNotFailed(t *testing.T) {
	for _, after := range []time.Duration{0, 5 * time.Millisecond, 9 * time.Second} { // the last is an engine that hangs first
		inWard(t, general(), func(t *testing.T, w ward) {
			var there atomic.Bool
			w.watched(t, after, there.Load)
			answer := w.crowd(t)
			pass(1500 * time.Millisecond)
			answer(errRefused)
			pass(time.Minute)
			if lost := w.in("lost"); lost != 4 {
				t.Fatalf("%d are lost, %d failed", lost, w.in("failed"))
			}
			there.Store(true)
			answer(nil)
			pass(11*time.Second + 2*after)
			if active := w.in("active"); active != 4 {
				t.Errorf("%d serve again, %d are lost, %d failed", active, w.in("lost"), w.in("failed"))
			}
		})
	}
}

// A worker that answers serves, whether the engine does or not.
func TestALostWorkerThatAnswersServesThoughTheEngineIsStillAway(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.watched(t, 0, func() bool { return false })
		answer := w.crowd(t)
		answer(errRefused)
		pass(time.Minute)
		answer(nil)
		pass(1100 * time.Millisecond)
		if active := w.in("active"); active != 4 {
			t.Errorf("%d serve again", active)
		}
	})
}

func TestWorkersThatAreStillOutOfReachWhenTheEngineIsBackFailOnceThatIsSure(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		var there atomic.Bool
		w.watched(t, 0, there.Load)
		w.crowd(t)(errRefused)
		pass(time.Minute)
		there.Store(true)
		w.f.Engine().Ask()
		pass(500 * time.Millisecond)
		if lost := w.in("lost"); lost != 4 {
			t.Errorf("%d are lost just after it came back, %d failed", lost, w.in("failed"))
		}
		pass(2 * time.Second)
		if failed := w.in("failed"); failed != 4 {
			t.Errorf("%d failed", failed)
		}
	})
}

func TestASingleWorkerIsGivenUpAsSoonAsTheEngineAnswers(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.watched(t, 20*time.Millisecond, func() bool { return true })
		w.crowd(t)
		suspect, _, _ := w.f.Worker("w0")
		w.set("http://w0", errRefused)
		w.health.suspect(suspect)
		pass(10 * time.Millisecond)
		if w.in("lost") != 1 || w.in("active") != 3 {
			t.Errorf("%d lost, %d active", w.in("lost"), w.in("active"))
		}
		pass(20 * time.Millisecond)
		if w.in("failed") != 1 || w.in("active") != 3 {
			t.Errorf("%d failed, %d active", w.in("failed"), w.in("active"))
		}
	})
}

func TestWhatIsNotOursIsRemovedWhateverTheEngineDoes(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.watched(t, 0, func() bool { return false })
		w.f.Engine().Ask()
		w.add(t, "theirs", fleet.Registered)
		w.add(t, "ours", fleet.Cold)
		w.set("http://theirs", errRefused)
		pass(1100 * time.Millisecond)
		if w.state("theirs") != "none" || w.in("lost") != 0 {
			t.Errorf("it is %s, %d are lost", w.state("theirs"), w.in("lost"))
		}
	})
}
