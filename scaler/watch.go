package scaler

import (
	"context"
	"errors"

	"understudy/driver"
)

// watch listens to the driver's hints, when it gives any.
func (s *Scaler) watch(ctx context.Context) <-chan driver.ID {
	if w, ok := s.Driver.(driver.Watcher); ok {
		return w.Watch(ctx)
	}
	return nil
}

// look follows a hint that a worker ended: a hint proves nothing, so the driver is asked.
func (s *Scaler) look(id driver.ID) {
	for _, o := range s.owned {
		if o.id != id || o.retiring {
			continue
		}
		w := o.worker
		s.launch(func() func() {
			ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
			defer cancel()
			exit, err := driver.Exit(ctx, s.Driver, id)
			return func() {
				switch {
				case errors.Is(err, driver.ErrNotFound):
					s.Fleet.Fail(w.ID, "somebody removed it")
				case exit != nil:
					o.exit = exit
					s.Fleet.Fail(w.ID, exit.Error())
				}
			}
		})
	}
}
