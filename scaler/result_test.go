package scaler

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"understudy/driver"
	"understudy/fleet"
)

// What a start is counted as decides which alert it raises: an engine that is away is no fault of the image.
func TestAStartIsCountedByWhatWasWrong(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "ok"},
		{&driver.ExitError{Code: 1}, "failed"},
		{errors.New("anything else"), "failed"},
		{context.DeadlineExceeded, "timeout"},
		{fmt.Errorf("no answer within 5s: %w (%w)", driver.ErrUnavailable, context.DeadlineExceeded), "engine"},
		{fmt.Errorf("not here: %w", driver.ErrImageMissing), "image"},
		{driver.ErrPortTaken, "port"},
		{fleet.ErrNoPort, "port"},
	} {
		if got := resultOf(c.err); got != c.want {
			t.Errorf("%v is counted as %q, want %q", c.err, got, c.want)
		}
	}
}
