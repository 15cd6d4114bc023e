package main

import (
	"flag"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestARaceThatIsNotThereIsAnError(t *testing.T) {
	for _, args := range [][]string{nil, {"horse"}} {
		if err := start(t.Context(), args); err == nil || !strings.Contains(err.Error(), "no race") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestEveryRaceHasANameOfItsOwnAndGoodFlags(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range races() {
		if seen[r.name] || r.name == "" || r.about == "" {
			t.Errorf("race %q: %q", r.name, r.about)
		}
		seen[r.name] = true
		fs := flag.NewFlagSet(r.name, flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		if r.flags(fs) == nil {
			t.Errorf("%s does nothing", r.name)
		}
		fs.VisitAll(func(f *flag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: flag -%s is not explained", r.name, f.Name)
			}
		})
	}
}
