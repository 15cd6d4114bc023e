package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"understudy/driver"
)

// defaultPort is where a worker listens inside its container when the spec does not say.
const defaultPort = 8080

// plan is one container to be: all that the engine is told.
type plan struct {
	spec   driver.Spec
	name   string
	port   nat.Port // inside
	image  string   // id of its content
	config *container.Config
	host   *container.HostConfig
}

// plan checks the spec, finds or makes its image and network, and says what container it comes to. fresh: the image is looked
// for again, and pulled again where the spec says always.
func (d *Driver) plan(ctx context.Context, spec driver.Spec, fresh bool) (*plan, error) {
	byAddress := spec.Publish == driver.PublishNetwork
	if !byAddress && (spec.HostPort < 1 || spec.HostPort > 65535) {
		return nil, fmt.Errorf("docker: worker %s: host port %d is not between 1 and 65535", spec.Worker, spec.HostPort)
	}
	network, err := d.networkFor(ctx, spec)
	if err != nil {
		return nil, err
	}
	img, err := d.image(ctx, spec, fresh) // last, for until a container uses it another instance's Sweep may remove it
	if err != nil {
		return nil, err
	}
	f := fenceFor(spec, img.user)
	host := hostConfig(spec, f)
	if host.Mounts, err = d.engine.mounts(spec.Security.Mounts); err != nil {
		return nil, fmt.Errorf("docker: pool %s: %w", spec.Pool, err)
	}
	if host.Devices, host.DeviceRequests, err = devices(spec.Security.Devices); err != nil {
		return nil, fmt.Errorf("docker: pool %s: %w", spec.Pool, err)
	}
	host.NetworkMode = container.NetworkMode(network)
	p := &plan{spec: spec, name: d.containerName(spec), host: host, image: img.id}
	inside := insidePort(spec)
	p.port = nat.Port(fmt.Sprintf("%d/tcp", inside))
	if !byAddress {
		host.PortBindings = nat.PortMap{p.port: {{HostIP: loopback, HostPort: strconv.Itoa(spec.HostPort)}}}
	}
	p.config = containerConfig(spec, f, img.ref, inside, d.labels(spec))
	return p, nil
}

func insidePort(spec driver.Spec) int { return cmp.Or(spec.Port, defaultPort) }

// containerConfig is everything about the container that is not the host's business.
func containerConfig(spec driver.Spec, f fence, image string, port int, labels map[string]string) *container.Config {
	timeout := stopTimeout
	cfg := &container.Config{
		Image:        image,
		User:         f.user,
		Env:          driver.WithEnv(spec.Env, fmt.Sprintf("PORT=%d", port)),
		ExposedPorts: nat.PortSet{nat.Port(fmt.Sprintf("%d/tcp", port)): {}},
		Labels:       labels,
		StopSignal:   f.signal,
		StopTimeout:  &timeout,
		Healthcheck:  &container.HealthConfig{Test: []string{"NONE"}}, // readiness is ours to probe
	}
	if len(spec.Command) > 0 {
		cfg.Cmd = driver.ExpandPort(spec.Command, port)
	}
	return cfg
}

// nameTries bounds how often a name is cleared for one start. An engine that removes a container lets go of its name last.
const nameTries = 5

// create creates the container of this attempt and returns its id. It is never cancelled: a create that is cut off may still
// bring forth a container later, which nobody would know of.
func (a *attempt) create(bg context.Context) (string, error) {
	id, err := a.createOnce(bg)
	wait := driver.Backoff{Base: 10 * time.Millisecond, Max: 500 * time.Millisecond}
	for tries := 1; errors.Is(err, errConflict) && tries <= nameTries; tries++ {
		if err = a.clearName(bg, err); err != nil {
			break
		}
		if err = pause(bg, wait.Next()); err == nil {
			id, err = a.createOnce(bg)
		}
	}
	switch {
	case err == nil:
		return id, nil
	case errors.Is(err, driver.ErrUnavailable):
		a.leftover = true // nobody knows what became of it
	case errors.Is(err, errNotFound) && strings.Contains(strings.ToLower(a.words(err)), "no such image"):
		a.images.forget()
		return "", failure(err.Error(), errStale, driver.ErrImageMissing)
	case commandCode(a.words(err)) != 0:
		return "", driver.NewExitError(commandCode(a.words(err)), []string{err.Error()})
	}
	return "", a.advised(err)
}

func (a *attempt) createOnce(bg context.Context) (string, error) {
	var made container.CreateResponse
	err := a.engine.do(bg, a.engine.limits.create, "create container "+a.plan.name, func(ctx context.Context) (err error) {
		made, err = a.engine.api().ContainerCreate(ctx, a.plan.config, a.plan.host, nil, nil, a.plan.name)
		return err
	})
	for _, warning := range made.Warnings {
		a.warn(warning)
	}
	return made.ID, err
}

// maxWarnings bounds what is kept of an engine that warns of each container in other words.
const maxWarnings = 100

// warn logs what the engine warns of, once for each pool: limits that the kernel cannot keep, mostly.
func (a *attempt) warn(text string) {
	if a.warnings.Load() >= maxWarnings {
		return
	}
	if _, again := a.warned.LoadOrStore([2]string{a.plan.spec.Pool, text}, true); !again {
		a.warnings.Add(1)
		a.log.Warn("docker: the engine warns about a pool's containers", "pool", a.plan.spec.Pool, "warning", text)
	}
}

// clearName makes room for a container whose name is taken: by one of ours that does not run, such as what an earlier create of
// unknown outcome brought forth. Anything else is not ours to remove.
func (a *attempt) clearName(bg context.Context, conflict error) error {
	found, err := a.inspect(bg, a.plan.name)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return nil // gone meanwhile
	case err != nil:
		return err
	case !a.isOurs(found):
		return fmt.Errorf("the name %s belongs to a container that is not of this instance: %w", a.plan.name, conflict)
	case found.State != nil && found.State.Running:
		return fmt.Errorf("worker %s runs already: %w", a.plan.spec.Worker, conflict)
	}
	return a.remove(bg, found.ID)
}
