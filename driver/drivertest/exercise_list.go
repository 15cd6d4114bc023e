package drivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"understudy/driver"
)

func listTests() []test {
	return []test{
		{name: "the list tells all about running and ended workers", run: listTellsAll, reach: true},
		{name: "a list that is cut short is an error, not a part", run: listOrError},
		{name: "a worker the list gives is nobody else's to change", run: listIsACopy},
		{name: "workers of another instance are neither listed nor stopped", run: ownInstance},
	}
}

func listTellsAll(s *suite) {
	if all := s.list(s.Driver); len(all) != 0 {
		s.Fatalf("a driver without workers lists %+v", all)
	}
	running, ended := s.spec("alpha"), s.spec("beta", behaviourKey+"="+exits)
	ended.Capabilities = []string{"*"}
	first := s.start(running)
	s.start(ended)
	s.eventually("one of two has ended", func() bool {
		got, ok := s.listed("beta")
		return ok && !got.Running
	})
	all := s.list(s.Driver)
	if len(all) != 2 {
		s.Fatalf("the list holds %+v, want two", all)
	}
	alpha, _ := s.listed("alpha")
	beta, _ := s.listed("beta")
	s.same(alpha, running)
	s.same(beta, ended)
	if !alpha.Running || alpha.ID != first.ID || beta.Running || beta.ExitCode != exitCode {
		s.Errorf("listed are %+v", all)
	}
}

func listOrError(s *suite) {
	s.start(s.spec("alpha"))
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if all, err := s.Driver.List(ctx); err == nil || all != nil {
		s.Errorf("List with a context that has ended returns %v, %v", all, err)
	}
}

func listIsACopy(s *suite) {
	spec := s.spec("alpha")
	inst := s.start(spec)
	inst.Capabilities[0] = "changed by the caller"
	s.list(s.Driver)[0].Capabilities[0] = "changed by another caller"
	spec.Capabilities[1] = "changed after the start"
	got, _ := s.listed("alpha")
	if want := []string{"mult", "add", "alpha"}; !slices.Equal(got.Capabilities, want) {
		s.Errorf("its capabilities are listed as %v, want %v", got.Capabilities, want)
	}
}

func ownInstance(s *suite) {
	inst := s.start(s.spec("alpha"))
	if s.Other == nil {
		return // a driver that knows only its own children has shown it by its empty first list
	}
	if all := s.list(s.Other); len(all) != 0 {
		s.Errorf("the other instance lists %+v", all)
	}
	if err := s.Other.Stop(s.ctx, inst.ID, 0); err != nil {
		s.Errorf("Stop of a worker that is unknown there: %v", err)
	}
	if inspector, ok := s.Other.(driver.Inspector); ok {
		if _, err := inspector.Inspect(s.ctx, inst.ID); !errors.Is(err, driver.ErrNotFound) {
			s.Errorf("Inspect of a worker that is unknown there: %v", err)
		}
	}
	if logger, ok := s.Other.(driver.Logger); ok {
		if _, err := logger.Logs(s.ctx, inst.ID, -1, false); !errors.Is(err, driver.ErrNotFound) {
			s.Errorf("Logs of a worker that is unknown there: %v", err)
		}
	}
	theirs, err := s.Other.Start(s.ctx, s.spec("alpha")) // the same name is fine, the instance is another
	if err != nil {
		s.Fatalf("Start at the other instance: %v", err)
	}
	if sweeper, ok := s.Other.(driver.Sweeper); ok {
		if lines, err := sweeper.Sweep(s.ctx, false); err != nil || len(lines) == 0 {
			s.Errorf("Sweep of the other instance: %q, %v", lines, err)
		}
	} else if err := s.Other.Stop(s.ctx, theirs.ID, 0); err != nil {
		s.Error(err)
	}
	s.ready(inst)
	if got := fmt.Sprint(len(s.list(s.Driver)), len(s.list(s.Other))); got != "1 0" {
		s.Errorf("the instances list %s workers, want 1 and 0", got)
	}
}
