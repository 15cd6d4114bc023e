package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/docker"
	"understudy/driver/process"
)

// DriverOptions are what every driver may want. Say is required.
type DriverOptions struct {
	Log    *slog.Logger
	Say    func(string)   // gets one line when processes are used in place of containers
	Binary string         // the executable for workers; empty: this one
	Groups process.Groups // hears of the process groups of workers that are local processes; nil: nobody does
	Mark   process.Mark   // of these; zero: none
}

// OpenDriver connects to what runs workers. auto means Docker when there is an engine, and local processes only when there is none to
// talk to: an engine that refuses or hangs is an error, never a silent change of driver.
func OpenDriver(ctx context.Context, cfg *config.Config, o DriverOptions) (driver.Driver, error) {
	processes := func() (driver.Driver, error) {
		return process.New(process.Options{Executable: o.Binary, Log: o.Log, Groups: o.Groups, Mark: o.Mark})
	}
	if cfg.Driver == "process" {
		return processes()
	}
	d, err := docker.New(ctx, docker.Options{Instance: cfg.Instance, Binary: o.Binary, Log: o.Log})
	if err == nil {
		return d, nil
	}
	if cfg.Driver == "docker" || !errors.Is(err, docker.ErrNoEngine) {
		return nil, err
	}
	if cfg.OnExit == "leave" {
		return nil, fmt.Errorf("%w; on_exit: leave needs containers", err)
	}
	if cfg.ByAddress() {
		return nil, fmt.Errorf("%w; publish: network needs containers", err)
	}
	o.Say("no Docker engine here: workers run as local processes, without limits of memory and CPU")
	return processes()
}

// FindEngine finds out which engine a balancer of this instance uses that is started now as this process was. open connects to it, whenever that is.
func FindEngine(instance string) (open func(context.Context) (driver.Driver, error), err error) {
	connect, err := docker.Find(docker.Options{Instance: instance})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (driver.Driver, error) {
		d, err := connect(ctx)
		if err != nil {
			return nil, err // and no interface that holds nil
		}
		return d, nil
	}, nil
}
