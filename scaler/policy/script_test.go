package policy_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"understudy/scaler/policy"
)

// rewrite is a flag, so that a change of the policy can be read as a change of the scripts:
//
//	go test ./scaler/policy -run TestScripts -update && git diff
var rewrite = flag.Bool("update", false, "write what was decided into testdata/*.txt")

// TestScripts plays testdata/*.txt. A script is prose (#), lines that say what happens (command_test.go lists them), and, indented below
// each, what was decided meanwhile: a line whenever a decision differed from the one before, and one for how things stood in the end.
// Arrivals come at even distances and service never varies, so that every figure can be followed by hand.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d scripts in testdata (%v), want at least 15", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := play(string(want))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if difference := firstDifference(string(want), got); difference != "" {
				t.Errorf("%s, %s\nwith -update the script is rewritten", file, difference)
			}
		})
	}
}

// play runs a script and returns it with the lines that were decided now.
func play(script string) (string, error) {
	var out strings.Builder
	p := player{conditions: conditions{cfg: policy.Config{Concurrency: 1, Parallel: 4}, even: true}}
	lines := bufio.NewScanner(strings.NewReader(script))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue // decided the last time
		}
		fmt.Fprintln(&out, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.do(line); err != nil {
			return "", fmt.Errorf("line %d: %q: %w", n, line, err)
		}
		for _, decided := range p.lines {
			fmt.Fprintln(&out, "  "+decided)
		}
		p.lines = nil
	}
	return out.String(), lines.Err()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, a, b)
		}
	}
	return ""
}

// player is a simulation told line by line what happens.
type player struct {
	conditions
	sim   *sim
	last  policy.Decision
	lines []string
}

// world returns the simulation, which begins with the first thing that takes time.
func (p *player) world() *sim {
	if p.sim == nil {
		p.sim = newSim(p.conditions)
		p.sim.watch = p.watch
	}
	return p.sim
}

// watch writes a line when a decision differs from the one before in what it does or in what limits it. A need that goes up and down under a
// held peak does nothing.
func (p *player) watch(d policy.Decision) {
	l := p.last
	p.last = d
	if d.Active == l.Active && d.Spare == l.Spare && d.Pipeline <= l.Pipeline && limit(d) == limit(l) && l.Term != "" {
		return
	}
	does := ""
	if d.Pipeline > l.Pipeline {
		does = fmt.Sprintf(", start %d", d.Pipeline-l.Pipeline)
	}
	p.lines = append(p.lines, fmt.Sprintf("%7.2fs  need %d, keep %d + %d%s: %s", p.sim.now.Seconds(), d.Need, d.Active, d.Spare, does, d.Sentence()))
}

// limit is the clamp, where it is more than the hold window.
func limit(d policy.Decision) string { return strings.TrimPrefix(d.Clamp, "held") }

// play lets time pass and says how things stand then.
func (p *player) play(w workload) {
	s := p.world()
	before := s.out
	s.load(w)
	s.until(s.now + w.length)
	o := s.out
	p.lines = append(p.lines, fmt.Sprintf("%7.2fs  %d active, %d spare, %d starting, %d waiting; since: %d begun, %d removed, %d of %d answers late",
		s.now.Seconds(), s.active(), len(s.spares), len(s.begun), len(s.queue),
		o.starts-before.starts, o.removals-before.removals, o.over-before.over, o.requests-before.requests))
	if refused := o.refused - before.refused; refused > 0 {
		p.lines[len(p.lines)-1] += fmt.Sprintf(", %d of those because they were refused", refused)
	}
}

// rate parses "10/s".
func rate(text string) (float64, error) {
	var r float64
	if _, err := fmt.Sscanf(text, "%g/s", &r); err != nil {
		return 0, fmt.Errorf("%q is no rate such as 10/s: %w", text, err)
	}
	return r, nil
}

func durations(texts ...string) ([]time.Duration, error) {
	var out []time.Duration
	for _, text := range texts {
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}
