package drivertest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"understudy/driver"
)

func abilityTests() []test {
	return []test{
		{name: "Prepare makes a start possible and may be repeated", run: prepare},
		{name: "Resolve names the content that is started", run: resolve},
		{name: "Inspect tells about one worker", run: inspect, reach: true},
		{name: "Logs yields the last lines", run: lastLines},
		{name: "Logs follows until its context or the worker ends", run: followedLines},
		{name: "Watch hints at a worker that ended", run: watch},
		{name: "Sweep lists what it would remove, then removes it", run: sweep},
		{name: "Pause freezes a worker and Resume lets it go on, as often as one likes", run: pauseAndResume, reach: true},
		{name: "Stop removes a worker that is frozen, without waiting for it, and then there is none to freeze or wake", run: stopOfAFrozen},
		{name: "Sweep removes a worker that is frozen", run: sweepOfAFrozen},
	}
}

func prepare(s *suite) {
	preparer, ok := s.Driver.(driver.Preparer)
	if !ok {
		return
	}
	spec := s.spec("alpha")
	for range 2 {
		if err := preparer.Prepare(s.ctx, spec); err != nil {
			s.Fatalf("Prepare: %v", err)
		}
	}
	if all := s.list(s.Driver); len(all) != 0 {
		s.Errorf("Prepare started %+v", all)
	}
	s.ready(s.start(spec))
}

func resolve(s *suite) {
	resolver, ok := s.Driver.(driver.Resolver)
	if !ok {
		return
	}
	spec := s.spec("alpha")
	id, err := resolver.Resolve(s.ctx, spec)
	if err != nil || id == "" {
		s.Fatalf("Resolve: %q, %v", id, err)
	}
	inst := s.start(spec)
	listed, _ := s.listed("alpha")
	if inst.Image != id || listed.Image != id {
		s.Errorf("resolved to %s, started as %s, listed as %s", id, inst.Image, listed.Image)
	}
	pinned := s.spec("beta")
	pinned.Image, pinned.Pull = id, driver.PullNever
	if inst = s.start(pinned); inst.Image != id {
		s.Errorf("started by its id, %s is %s", id, inst.Image)
	}
	s.ready(inst)
}

func inspect(s *suite) {
	inspector, ok := s.Driver.(driver.Inspector)
	if !ok {
		return
	}
	spec := s.spec("alpha")
	inst := s.start(spec)
	got, err := inspector.Inspect(s.ctx, inst.ID)
	if err != nil {
		s.Fatalf("Inspect: %v", err)
	}
	s.same(got, spec)
	if !got.Running || got.ID != inst.ID {
		s.Errorf("Inspect says %+v", got)
	}
	s.stop(inst, 0)
	for _, id := range []driver.ID{inst.ID, "never-heard-of"} {
		if _, err := inspector.Inspect(s.ctx, id); !errors.Is(err, driver.ErrNotFound) {
			s.Errorf("Inspect of %s, which is not there: %v", id, err)
		}
	}
}

// say makes the worker print a line.
func (s *suite) say(inst driver.Instance, line string) {
	s.Helper()
	if _, _, err := Get(s.ctx, inst.Address+"/say?line="+url.QueryEscape(line)); err != nil {
		s.Fatalf("the worker could not be told to print: %v", err)
	}
}

func lastLines(s *suite) {
	logger, ok := s.Driver.(driver.Logger)
	if !ok {
		return
	}
	inst := s.start(s.spec("alpha"))
	s.ready(inst)
	s.say(inst, "second")
	s.say(inst, "third")
	read := func(tail int) string {
		r, err := logger.Logs(s.ctx, inst.ID, tail, false)
		if err != nil {
			s.Fatalf("Logs: %v", err)
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			s.Fatalf("reading the logs: %v", err)
		}
		return string(b)
	}
	const all = "worker alpha starts\nsecond\nthird\n"
	s.eventually("all lines are there", func() bool { return read(-1) == all })
	for tail, want := range map[int]string{1: "third\n", 2: "second\nthird\n", 9: all} {
		if got := read(tail); got != want {
			s.Errorf("the last %d lines are %q, want %q", tail, got, want)
		}
	}
	if _, err := logger.Logs(s.ctx, "never-heard-of", -1, false); !errors.Is(err, driver.ErrNotFound) {
		s.Errorf("Logs of a worker that is not there: %v", err)
	}
}

func followedLines(s *suite) {
	logger, ok := s.Driver.(driver.Logger)
	if !ok {
		return
	}
	inst := s.start(s.spec("alpha"))
	s.ready(inst)
	s.followedLinesEnd(logger, inst)
	r, err := logger.Logs(s.ctx, inst.ID, -1, true)
	if err != nil {
		s.Fatalf("Logs: %v", err)
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	if !lines.Scan() || lines.Text() != "worker alpha starts" {
		s.Fatalf("the first line is %q (%v)", lines.Text(), lines.Err())
	}
	s.say(inst, "while followed")
	if !lines.Scan() || lines.Text() != "while followed" {
		s.Fatalf("the next line is %q (%v)", lines.Text(), lines.Err())
	}
	Get(s.ctx, inst.Address+"/exit?code=0") // fails: it ends before it answers
	if lines.Scan() {
		s.Errorf("after its end it printed %q", lines.Text())
	}
}

// followedLinesEnd makes sure that lines that are followed end with the context, while the worker goes on.
func (s *suite) followedLinesEnd(logger driver.Logger, inst driver.Instance) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	r, err := logger.Logs(ctx, inst.ID, -1, true)
	if err != nil {
		s.Fatalf("Logs: %v", err)
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		s.Fatalf("no first line: %v", lines.Err())
	}
	cancel()
	for lines.Scan() {
		s.Errorf("after the context ended came %q", lines.Text())
	}
}

func watch(s *suite) {
	watcher, ok := s.Driver.(driver.Watcher)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	hints := watcher.Watch(ctx)
	s.start(s.spec("bystander"))
	inst := s.start(s.spec("alpha"))
	s.ready(inst)
	Get(s.ctx, inst.Address+"/exit?code=5") // fails: it ends before it answers
	for told := false; !told; {
		select {
		case id := <-hints:
			if told = id != ""; told && id != inst.ID {
				s.Errorf("the hint names %s, want %s", id, inst.ID)
			}
		case <-s.ctx.Done():
			s.Fatal("no hint came")
		}
	}
	if exit, err := driver.Exit(s.ctx, s.Driver, inst.ID); err != nil || exit == nil || exit.Code != 5 {
		s.Errorf("after the hint its exit is %+v, %v", exit, err)
	}
	got, ok := s.listed("alpha")
	if !ok || got.Running || got.ExitCode != 5 {
		s.Errorf("after the hint it is listed as %+v", got)
	}
	cancel()
	for range hints { // ends: the channel is closed
	}
}

func sweep(s *suite) {
	sweeper, ok := s.Driver.(driver.Sweeper)
	if !ok {
		return
	}
	running := s.start(s.spec("alpha"))
	s.start(s.spec("beta", behaviourKey+"="+exits))
	// The lines may also speak of what no instance owns, such as worker images, which others make and remove meanwhile.
	speaksOf := func(lines []string) (out []string) {
		for _, line := range lines {
			for _, worker := range []string{"alpha", "beta"} {
				if strings.Contains(line, worker) {
					out = append(out, worker)
				}
			}
		}
		slices.Sort(out)
		return out
	}
	for _, dryRun := range []bool{true, false} {
		s.ready(running) // a dry run touches nothing
		lines, err := sweeper.Sweep(s.ctx, dryRun)
		if err != nil {
			s.Fatalf("Sweep, dry %v: %v", dryRun, err)
		}
		if got := speaksOf(lines); !slices.Equal(got, []string{"alpha", "beta"}) {
			s.Errorf("Sweep, dry %v, returns %q, which speaks of %q", dryRun, lines, got)
		}
	}
	if all := s.list(s.Driver); len(all) != 0 || !Free(running.HostPort) {
		s.Errorf("after Sweep the list holds %+v", all)
	}
	if again, err := sweeper.Sweep(s.ctx, false); err != nil || len(speaksOf(again)) != 0 {
		s.Errorf("a second Sweep returns %q, %v", again, err)
	}
}
