package policy

import "time"

const (
	backoffFirst = time.Second
	backoffMost  = 60 * time.Second
)

// backoff returns how long to wait before the next start: 1, 2, 4 .. 60 s after the last of so many starts that failed in a row.
func (v *view) backoff() time.Duration {
	if v.in.StartFails == 0 {
		return 0
	}
	return max(0, backoffAfter(v.in.StartFails)-v.in.SinceStartFail)
}

func backoffAfter(fails int) time.Duration {
	return min(backoffFirst<<min(fails-1, 6), backoffMost)
}

// allowed cuts the starts wanted (formula 9) while starts fail: none before the back-off is over, then a single probe. What is in flight goes on.
func (v *view) allowed(wanted int, backoff time.Duration) int {
	begun := len(v.in.Begun)
	switch {
	case v.in.StartFails == 0:
		return wanted
	case backoff > 0:
		return min(wanted, begun)
	default:
		return min(wanted, max(begun, 1))
	}
}
