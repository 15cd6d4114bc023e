package stage

import (
	"testing"
	"time"
)

func TestTheWorkOfTheMachineIsAllButIdling(t *testing.T) {
	busy, all, err := parseMachine("cpu  100 20 30 4000 500 6 7 8 90 10\ncpu0 1 2 3\n")
	if err != nil || busy != 1710*time.Millisecond || all != 46710*time.Millisecond {
		t.Errorf("%v of %v, %v", busy, all, err)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		if _, _, err := parseMachine(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

func TestOurOwnWorkIsNotThatOfOthers(t *testing.T) {
	now, err := WatchOthers()
	if err != nil {
		t.Fatal(err)
	}
	// As if the machine had done 10 s of work in 20 s since then, all of it ours; whoever else runs meanwhile adds a little.
	o := Others{now.busy - 10*time.Second, now.all - 20*time.Second, now.own - 10*time.Second}
	share, err := o.Share()
	if err != nil || share > 0.2 {
		t.Errorf("others had %v, %v", share, err)
	}
	o.own = now.own
	if share, err = o.Share(); err != nil || share < 0.4 {
		t.Errorf("others had %v of half of it, %v", share, err)
	}
}
