package reference

import (
	"testing"
	"time"
)

func TestStartsFollowTheNeedOfThisMomentAndNotTheHeldPeak(t *testing.T) {
	cfg, in := quiet()
	cfg.Max = 8
	in.Active, in.Idle = 8, 7
	var e Erlang
	e.Decide(cfg, in) // eight adopted workers are held
	in.Now += time.Second
	in.Active, in.Spare, in.Idle = 2, 0, 1 // six of them died
	d := e.Decide(cfg, in)
	if d.Active != 8 || d.Spare != 0 {
		t.Errorf("%d and %d spare are kept, want the peak of 8", d.Active, d.Spare)
	}
	if d.Need != 2 || d.Pipeline != 1 {
		t.Errorf("need %d, %d starts, want 2, and a start for the spare alone", d.Need, d.Pipeline)
	}
}

func TestAnEarlierTimeThanBeforeForgetsAndRemovesNothing(t *testing.T) {
	cfg, in := quiet()
	in.Active, in.Spare, in.Idle = 9, 1, 9
	var e Erlang
	d := e.Decide(cfg, in)
	for range 3 {
		in.Now -= 50 * time.Second
		if d = e.Decide(cfg, in); d.Active != 9 || d.Remove != 0 {
			t.Fatalf("%d are kept and %d removed, want the peak of 9 held", d.Active, d.Remove)
		}
	}
	in.Now = time.Hour + 31*time.Second
	if d = e.Decide(cfg, in); d.Active != 2 || d.Remove != 1 {
		t.Errorf("half a minute later %d are kept and %d removed, want 2 and 1", d.Active, d.Remove)
	}
}

func TestAPoolLoweredBelowWhatItHasLosesTheSurplusOneByOne(t *testing.T) {
	cfg, in := quiet()
	in.Active, in.Idle = 8, 7
	var e Erlang
	d := e.Decide(cfg, in)
	if d.Remove != 0 {
		t.Fatal("a worker is removed at once")
	}
	cfg.Max = 4
	d = e.Decide(cfg, in)
	if d.Active != 4 || d.Spare != 0 || d.Pipeline != 0 || d.Remove != 1 {
		t.Errorf("with max 4: keep %d + %d, start %d, remove %d, want 4 + 0, none and 1", d.Active, d.Spare, d.Pipeline, d.Remove)
	}
	in.Now += 250 * time.Millisecond
	if d = e.Decide(cfg, in); d.Remove != 0 {
		t.Error("the second goes within a quarter of a second")
	}
}

func TestErlangIsAPolicyThatRemembersAndNamesItsRule(t *testing.T) {
	var p Policy = new(Erlang)
	cfg, in := quiet()
	in.Slow.Arrivals = 1500
	d := p.Decide(cfg, in)
	if d.Term != termModel || d.Reason != d.Term || d.Need <= 5 {
		t.Errorf("5 erlang need %d by %q, because of %q", d.Need, d.Term, d.Reason)
	}
	in.Now += 10 * time.Second
	in.Slow.Arrivals, in.MeanBusy = 0, 0
	if held := p.Decide(cfg, in); held.Active != d.Active || held.Need >= d.Need {
		t.Errorf("10 s later %d are kept for a need of %d, want the %d of before", held.Active, held.Need, d.Active)
	}
}
