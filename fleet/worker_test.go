package fleet

import (
	"strings"
	"testing"
	"time"
)

func TestWorkerMovesOnlyAsTheTableAllows(t *testing.T) {
	states := []State{Starting, Spare, Active, Draining, Failed, Gone}
	legal := map[State][]State{
		Starting: {Spare, Active, Draining, Failed, Gone},
		Spare:    {Active, Draining, Failed, Gone},
		Active:   {Spare, Draining, Failed, Gone},
		Draining: {Failed, Gone},
		Failed:   {Gone},
		Gone:     {},
	}
	for _, from := range states {
		for _, to := range states {
			want := false
			for _, s := range legal[from] {
				want = want || s == to
			}
			if got := from.canBecome(to); got != want {
				t.Errorf("%s to %s: allowed %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestWorkerStatesHaveTheNamesPeopleRead(t *testing.T) {
	names := map[State]string{Starting: "starting", Spare: "spare", Active: "active", Draining: "draining", Failed: "failed", Gone: "gone"}
	for s, want := range names {
		expect(t, "name", s.String(), want)
	}
}

func TestWorkerThatMovesIllegallyIsABugThatNamesItself(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	w := active(t, f, "p", "w1")[0]
	defer func() {
		text, _ := recover().(string)
		if !strings.Contains(text, "p/w1 cannot become starting: it is active") {
			t.Errorf("panic %q", text)
		}
		audit(t, f)
	}()
	w.become(Starting)
}

func TestWorkerOriginTellsWhoseItIs(t *testing.T) {
	for origin, ours := range map[Origin]bool{Cold: true, Adopted: true, Registered: false, Member: false} {
		expect(t, string(origin), origin.Ours(), ours)
	}
}

func TestWorkerPaceForgetsASlowStart(t *testing.T) {
	w := &Worker{}
	w.observe(2 * time.Second)
	expect(t, "pace after one", w.pace, 2.0)
	w.observe(1200 * time.Millisecond)
	expect(t, "pace after two", w.pace, 1.9) // 2 - 0.8/8
	w.spent -= 1100 * time.Millisecond
	for range 19 {
		w.observe(100 * time.Millisecond)
	}
	if w.pace < 0.1 || w.pace > 0.25 {
		t.Errorf("pace after twenty fast ones: %v s, want close to 0.1 s", w.pace)
	}
	expect(t, "spent", w.spent, 4*time.Second)
}
