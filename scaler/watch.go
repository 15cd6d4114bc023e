package scaler

import (
	"context"
	"errors"
	"time"

	"understudy/driver"
)

// watch listens to the driver's hints, when it gives any.
func (s *Scaler) watch(ctx context.Context) <-chan driver.ID {
	if w, ok := s.Driver.(driver.Watcher); ok {
		return w.Watch(ctx)
	}
	return nil
}

// lookAgain is when a worker that is said to have ended and was found to run is looked at again before it is given anything: engines tell of a
// signal before it has killed, and of the end a moment after.
const lookAgain = time.Second

const somebodyRemovedIt = "somebody removed it"

// hinted follows a hint that a worker ended, or that hints were lost. It proves nothing: the driver is asked, about the worker at once and
// about all of them soon. It reports whether a worker gets nothing because of it.
func (s *Scaler) hinted(id driver.ID) (doubted bool) {
	switch {
	case id == "":
		s.listWithin(0)
	case s.lists.missed == 0: // else nobody answers, and the next list tells
		s.listWithin(hintPause)
		return s.look(id)
	}
	return false
}

// look asks the driver about a worker that is said to have ended.
func (s *Scaler) look(id driver.ID) (doubted bool) {
	for _, o := range s.owned {
		if o.id == id && !o.retiring {
			doubted = s.lookAt(o, nil) || doubted
		}
	}
	return doubted
}

// lookAt asks the driver how a worker is. listed is how a list says that it ended, for when the driver cannot tell more; nil: no list did.
// Until the driver has answered, which takes as long as it is busy with the worker's end, others do its work. It reports whether that is news.
func (s *Scaler) lookAt(o *owned, listed *driver.ExitError) (doubted bool) {
	w, id := o.worker, o.id
	o.hinted, o.hintedAt = true, s.Fleet.Clock()
	lost := s.Fleet.Lose(w.ID, "it is said to have ended")
	if lost {
		o.doubted, o.saidAt = true, s.Fleet.Clock()
	}
	s.launch(func() func() {
		ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
		defer cancel()
		exit, err := driver.Exit(ctx, s.Driver, id)
		if lost && listed == nil && exit == nil && err == nil && s.pause(lookAgain) {
			exit, err = driver.Exit(ctx, s.Driver, id)
		}
		return func() {
			if err != nil && exit == nil {
				exit = listed
			}
			switch {
			case errors.Is(err, driver.ErrNotFound):
				s.confirm(o, somebodyRemovedIt)
			case exit != nil:
				o.exit = exit
				s.confirm(o, exit.Error())
			case lost:
				s.takeBack(o)
			}
			if lost {
				o.doubted, o.believed = false, false
			}
		}
	})
	return lost
}
