package docker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// The rows of docs/FAULTS.md on a real engine, but for those that the suite of all drivers has: what every driver promises is shown there.

func TestD09RealANameSomebodyElseHasIsNotTakenFromHim(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	spec := workerSpec(t, "a")
	p, err := d.plan(t.Context(), spec, false)
	if err != nil {
		t.Fatal(err)
	}
	config := *p.config
	config.Labels = map[string]string{"somebody": "else"}
	made, err := d.engine.api().ContainerCreate(t.Context(), &config, &container.HostConfig{}, nil, nil, p.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := d.engine.api().ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	if _, err := d.Start(t.Context(), spec); err == nil || !has(err.Error(), "not of this instance") {
		t.Errorf("Start returns %v", err)
	}
	if _, err := d.inspect(t.Context(), made.ID); err != nil {
		t.Errorf("the other's container: %v", err)
	}
}

func TestD12RealAStreamThatBreaksMissesNothing(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	r := newRelay(t, d)
	through := r.driver(d)
	hints := through.Watch(t.Context())
	first, second := mustStart(t, d, workerSpec(t, "a")), mustStart(t, d, workerSpec(t, "b"))
	kill := func(inst driver.Instance) {
		if err := d.engine.api().ContainerKill(t.Context(), string(inst.ID), "SIGKILL"); err != nil {
			t.Fatal(err)
		}
	}
	kill(first)
	hinted(t, hints, first.ID)
	r.cut()
	kill(second) // nobody listens
	r.open()
	hinted(t, hints, second.ID)
}

func TestD14RealAnEngineThatIsAwayIsUnavailableAndFoundAgain(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	r := newRelay(t, d)
	through := r.driver(d, func(l *limits) { l.hunt = 100 * time.Millisecond }) // or its end would wait for the hunts after the failed starts
	inst := mustStart(t, through, workerSpec(t, "a"))
	for range 2 {
		r.cut()
		for what, err := range map[string]error{
			"List": second(through.List(t.Context())), "Inspect": second(through.Inspect(t.Context(), inst.ID)),
			"Stop": through.Stop(t.Context(), inst.ID, 0), "Start": second(through.Start(t.Context(), workerSpec(t, "b"))),
		} {
			if !errors.Is(err, driver.ErrUnavailable) {
				t.Errorf("while the engine is away %s returns %v", what, err)
			}
		}
		r.open()
		if all, err := through.List(t.Context()); err != nil || len(all) != 1 || all[0].ID != inst.ID {
			t.Errorf("when it is back List returns %+v, %v", all, err)
		}
	}
	r.drop() // connections that were kept are dead
	if err := through.Stop(t.Context(), inst.ID, time.Second); err != nil {
		t.Errorf("over dead connections Stop returns %v", err)
	}
}

func TestD17RealAnEngineThatHangsIsUnavailableInTime(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	r := newRelay(t, d)
	const limit = 300 * time.Millisecond
	through := r.driver(d, func(l *limits) { l.list, l.inspect, l.remove, l.hunt = limit, limit, limit, limit })
	inst := mustStart(t, d, workerSpec(t, "a"))
	r.stand()
	for what, call := range map[string]func() error{
		"List":    func() error { return second(through.List(t.Context())) },
		"Inspect": func() error { return second(through.Inspect(t.Context(), inst.ID)) },
		"Stop":    func() error { return through.Stop(t.Context(), inst.ID, 0) },
	} {
		if err := call(); !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("while the engine hangs %s returns %v", what, err)
		}
	}
	ask(t, inst, "/") // it serves all the same
	r.flow()
	eventually(t, "the engine is found again", func() bool {
		all, err := through.List(t.Context())
		return err == nil && len(all) == 1
	})
}

func TestD23RealWhatAnOperatorDoesIsHinted(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	hints := d.Watch(t.Context())
	killed, removed := mustStart(t, d, workerSpec(t, "a")), mustStart(t, d, workerSpec(t, "b"))
	if err := d.engine.api().ContainerKill(t.Context(), string(killed.ID), "SIGKILL"); err != nil {
		t.Fatal(err)
	}
	hinted(t, hints, killed.ID)
	if got, err := d.Inspect(t.Context(), killed.ID); err != nil || got.Running || got.ExitCode != 137 {
		t.Errorf("of one that was killed Inspect returns %+v, %v", got, err)
	}
	if err := d.engine.api().ContainerRemove(t.Context(), string(removed.ID), container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	hinted(t, hints, removed.ID)
	eventually(t, "it is gone", func() bool {
		_, err := d.Inspect(t.Context(), removed.ID)
		return errors.Is(err, driver.ErrNotFound)
	})
}

// second is the error of a call that returns something too.
func second[V any](_ V, err error) error { return err }
