package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// Start implements driver.Driver. A worker that exits at once has been started: it is returned as not running, and driver.Exit
// tells why.
func (d *Driver) Start(ctx context.Context, spec driver.Spec) (driver.Instance, error) {
	var inst driver.Instance
	var err error
	began := time.Now()
	for range staleTries {
		if inst, err = d.try(ctx, spec); !errors.Is(err, errStale) {
			break
		}
	}
	inst.Took.Create = time.Since(began) - inst.Took.Start
	return inst, err
}

// staleTries bounds the tries of one start whose image or network turn out to have been removed behind our back: either may go
// first, and the image a second time, while another instance sweeps.
const staleTries = 5

// attempt is one try at starting one worker.
type attempt struct {
	*Driver
	plan     *plan
	caller   context.Context // of the one who wants the worker; once it ends nobody does
	leftover bool            // a container of that name may be there that could not be removed
}

type outcome struct {
	inst driver.Instance
	err  error
}

// try runs an attempt in the background, since no call of it may be cancelled half way, and waits for it as long as ctx lasts.
func (d *Driver) try(ctx context.Context, spec driver.Spec) (driver.Instance, error) {
	p, err := d.plan(ctx, spec, false)
	if err != nil {
		return driver.Instance{}, err
	}
	release, err := d.engine.change(ctx, "start worker "+spec.Worker)
	if err != nil {
		return driver.Instance{}, err
	}
	result := make(chan outcome) // without buffer: only a caller who still waits can take it
	a := &attempt{Driver: d, plan: p, caller: ctx}
	err = d.spawn(func(bg context.Context) {
		a.run(bg, result)
		release()
		if a.leftover {
			a.hunt(bg)
		}
	})
	if err != nil {
		release()
		return driver.Instance{}, err
	}
	select {
	case r := <-result:
		return r.inst, r.err
	case <-ctx.Done():
		return driver.Instance{}, fmt.Errorf("docker: start worker %s: %w", spec.Worker, context.Cause(ctx))
	}
}

// run starts the worker and hands it over; what nobody takes is removed again.
func (a *attempt) run(bg context.Context, result chan<- outcome) {
	inst, err := a.start(bg)
	select {
	case result <- outcome{inst, err}:
	case <-a.caller.Done():
		if err == nil {
			a.discard(bg, string(inst.ID))
		}
	}
}

// start creates the container, starts it, and looks whether it is reached where it should be. On an error it is removed again.
func (a *attempt) start(bg context.Context) (inst driver.Instance, err error) {
	id, err := a.create(bg)
	if err != nil {
		return inst, err
	}
	created := time.Now()
	if err = a.caller.Err(); err == nil {
		err = a.engine.do(bg, a.engine.limits.start, "start container "+a.plan.name, func(ctx context.Context) error {
			return a.engine.api().ContainerStart(ctx, id, container.StartOptions{})
		})
		err = a.startError(err)
	}
	if err == nil {
		err = a.caller.Err()
	}
	if err == nil {
		inst, err = a.wired(bg, id)
	}
	if err != nil {
		a.discard(bg, id)
	}
	inst.Took.Start = time.Since(created)
	return inst, err
}

// startError tells the kinds of refusal apart. Only the engine's text does.
func (a *attempt) startError(err error) error {
	if err == nil || errors.Is(err, driver.ErrUnavailable) {
		return err
	}
	text, words := err.Error(), a.words(err)
	switch code := commandCode(words); {
	case portTaken(words):
		return failure(fmt.Sprintf("port %d of %s is taken: %s", a.plan.spec.HostPort, loopback, text), driver.ErrPortTaken)
	case networkGone(words):
		a.networks.forget()
		a.named.forget()
		return failure(a.advised(err).Error(), errStale)
	case code != 0:
		return driver.NewExitError(code, []string{text})
	}
	return a.advised(err)
}

// wired waits until the engine shows the container's port published exactly where it was to be, or its address: it may lag behind the start,
// and an engine that never publishes it has started a worker nobody can reach. The time it has for that begins with its first answer: a slow
// answer is no reason to give a worker up.
func (a *attempt) wired(bg context.Context, id string) (driver.Instance, error) {
	wait := driver.Backoff{Base: 5 * time.Millisecond, Max: 200 * time.Millisecond}
	var until time.Time
	for {
		var found container.InspectResponse
		// no slot for a look: the attempt holds one for a change already, and makes one call at a time
		err := a.engine.do(bg, a.engine.limits.inspect, "inspect container "+a.plan.name, func(ctx context.Context) (err error) {
			found, err = a.engine.api().ContainerInspect(ctx, id)
			return err
		})
		if err != nil {
			return driver.Instance{}, err
		}
		if until.IsZero() {
			until = time.Now().Add(a.engine.limits.wired)
		}
		switch {
		case found.State != nil && !found.State.Running, a.bound(found):
			return fromInspect(found), nil
		case !time.Now().Before(until):
			return driver.Instance{}, a.unwired()
		}
		if err := pause(bg, wait.Next()); err != nil {
			return driver.Instance{}, err
		}
	}
}

func (a *attempt) unwired() error {
	p, limit := a.plan, a.engine.limits.wired
	if p.spec.Publish == driver.PublishNetwork {
		return fmt.Errorf("docker: container %s runs, but within %s the engine gave it no address", p.name, limit)
	}
	return fmt.Errorf("docker: container %s runs, but within %s the engine did not publish its port %s on %s:%d", p.name, limit, p.port.Port(), loopback, p.spec.HostPort)
}

// bound says whether the container's port is published on our address and port, and nowhere else; of one without, whether it has an address.
func (a *attempt) bound(found container.InspectResponse) bool {
	if found.NetworkSettings == nil {
		return false
	}
	b := found.NetworkSettings.Ports[a.plan.port]
	if a.plan.spec.Publish == driver.PublishNetwork {
		return len(b) == 0 && found.HostConfig != nil && addressOf(found.HostConfig.NetworkMode, found.NetworkSettings.Networks) != ""
	}
	return len(b) == 1 && b[0].HostIP == loopback && b[0].HostPort == strconv.Itoa(a.plan.spec.HostPort)
}
