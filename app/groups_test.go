package app

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver/process"
)

func TestAGuardOfGroupsKnowsWhichAreLeft(t *testing.T) {
	three, four := process.Group{ID: 3, Began: 30}, process.Group{ID: 4}
	for said, want := range map[string][]process.Group{
		"":                                    nil,
		"begun 3 30\n":                        {three},
		"begun 4 0\nbegun 3 30\n":             {three, four},
		"begun 4 0\nbegun 3 30\nover 4 0\n":   {three},
		"begun 3 30\nover 3 30\n":             nil,
		"begun 3 29\nover 3 29\nbegun 3 30\n": {three}, // the number was given again
		"begun 3 30\nbye\n":                   nil,
		"bye\nbegun 3 30\n":                   nil,
		"begun 3 30\nbye":                     {three}, // it was cut off
		"begun 3 30\nover 3 30":               {three},
		"begun 3 30\nbegun 4":                 {three},
		"begun 3 30\nbegun 4 0":               {three},
		"begun 3 29\nbegun 3 30\nover 3 29\n": {three}, // and the end was told late
		"over 3 30\nbegun 3 30\n":             {three},
	} {
		if got := GroupsLeft(strings.NewReader(said)).Groups; !slices.Equal(got, want) {
			t.Errorf("after %q it is left with %v, want %v", said, got, want)
		}
	}
}

// The numbers below 2 are not groups to the kernel: 1 is everybody, 0 our own.
func TestAGuardOfGroupsIgnoresWhatMakesNoSense(t *testing.T) {
	for _, line := range []string{
		"", " ", "begun", "begun 4", "begun 4 5 6", "begun x 5", "begun 4 x", "begun 4 -1", "begun 4.5 0", "begun -4 0", "begun 1 0", "begun 0 0", "begun -1 0",
		"begun 99999999999999999999 0", "over", "over x", "over 3", "over 3 3 0", "over 3 31", "over 3 -30", "Begun 4 0", "bye bye", "by", "\x00\xff", strings.Repeat("begun 4 0 ", 1e4),
		strings.Repeat("x", 4096*2), strings.Repeat(" ", 4096) + "over 3 30", strings.Repeat("x", 4095) + "begun 4 0",
	} {
		got := GroupsLeft(strings.NewReader("begun 3 30\n" + line + "\nbegun 5 50\n")).Groups
		if want := []process.Group{{ID: 3, Began: 30}, {ID: 5, Began: 50}}; !slices.Equal(got, want) {
			t.Errorf("%.40q leaves it with %v, want %v", line, got, want)
		}
	}
}

func TestAGuardOfGroupsKnowsTheMark(t *testing.T) {
	for said, want := range map[string]process.Mark{
		"":             {},
		"mark abc 7\n": {Token: "abc", Session: 7},
		"mark abc 7":   {},
		"mark abc 7\nmark x y\nmark z\nmark d e 8\nmark f 9 9\n": {Token: "abc", Session: 7},
		"mark abc 7\nbye\n": {},
	} {
		if got := GroupsLeft(strings.NewReader(said)).Mark; got != want {
			t.Errorf("after %q the mark is %v, want %v", said, got, want)
		}
	}
}

// heard is a guard of groups inside this process: what it is left with is known once it has ended.
type heard struct {
	*guardian
	left chan Left
}

func listens() heard {
	r, w := io.Pipe()
	ended := make(chan struct{})
	h := heard{&guardian{pipe: w, kill: func() { r.Close() }, state: func() string { return "killed" }, ended: ended}, make(chan Left, 1)}
	go func() { h.left <- GroupsLeft(r); r.Close(); close(ended) }()
	return h
}

func TestAGuardOfGroupsThatIsReplacedIsToldOfAllThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []heard
		g := newGroups()
		g.Begun(process.Group{ID: 2, Began: 20}) // nobody is told yet
		g.keep(slog.New(slog.DiscardHandler), func() (*guardian, error) {
			all = append(all, listens())
			return all[len(all)-1].guardian, nil
		})
		g.Begun(process.Group{ID: 3, Began: 30})
		g.Begun(process.Group{ID: 4, Began: 40})
		g.Over(process.Group{ID: 2, Began: 20})
		all[0].kill()
		synctest.Wait()
		g.Begun(process.Group{ID: 5, Began: 50}) // while there is none
		g.Over(process.Group{ID: 3, Began: 30})
		<-time.After(time.Minute)
		g.Begun(process.Group{ID: 6, Began: 60})
		g.Over(process.Group{ID: 5, Began: 50})
		if len(all) != 2 {
			t.Fatalf("%d guards", len(all))
		}
		_ = all[1].pipe.Close() // as the kernel does when a balancer is killed
		want := []process.Group{{ID: 4, Began: 40}, {ID: 6, Began: 60}}
		if got := <-all[1].left; !slices.Equal(got.Groups, want) || got.Mark != g.mark || len(g.mark.Token) != 32 {
			t.Errorf("the second guard is left with %v, want %v", got, want)
		}
		g.guard.dismiss()
	})
}

func TestAGuardOfGroupsIsToldWhenThereIsNothingToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := listens()
		g := newGroups()
		g.keep(slog.New(slog.DiscardHandler), func() (*guardian, error) { return h.guardian, nil })
		g.Begun(process.Group{ID: 3, Began: 30})
		g.guard.dismiss()
		if got := <-h.left; got.Groups != nil || got.Mark != (process.Mark{}) {
			t.Errorf("after an end in order it is left with %v", got)
		}
	})
}

// Somebody has stopped it, and its pipe is full: starts do not wait for it for ever.
func TestAGuardOfGroupsThatDoesNotReadIsKilled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	kills := 0
	one := &guardian{pipe: w, kill: func() { kills++ }}
	for err == nil {
		err = one.say(strings.Repeat("x", 1<<16))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a full pipe is %v", err)
	}
	g := newGroups()
	g.told = one
	g.Begun(process.Group{ID: 3})
	g.Begun(process.Group{ID: 4}) // there is nobody to be told
	if kills != 1 || len(g.there) != 2 {
		t.Errorf("%d kills, %v", kills, g.there)
	}
}
