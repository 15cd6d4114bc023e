package scaler

import (
	"testing"
	"testing/synctest"
	"time"
)

// `understudy explain` shows a pool that has workers as one that has none otherwise.
func TestANoteStandsBesideWhatWasMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), nil)
		b.reload(env("V=new"))
		b.pass(time.Minute)
		notes := 0
		for _, e := range b.journal.Last(1000) {
			if e.Note == "" {
				continue
			}
			notes++
			if e.Input.Active != 2 || e.Input.Spare != 1 {
				t.Errorf("%q stands beside %d active and %d spare, want 2 and 1", e.Note, e.Input.Active, e.Input.Spare)
			}
		}
		if notes != 2 {
			t.Errorf("%d notes, want one when it begins and one when it is done", notes)
		}
		b.end()
	})
}
