// Package driver is the contract between the scaler and whatever runs workers: containers, processes, later a cluster.
//
// A driver starts one worker, stops one worker and lists the workers of one balancer instance. It decides nothing:
// not how many workers there are, not which port they get, not when they are ready.
package driver

import (
	"context"
	"io"
	"time"
)

// ID names one worker to the driver that started it. Nobody else reads it.
type ID string

// Driver starts, stops and lists the workers of one instance. A driver is bound to its instance when it is made.
// Every method may be called concurrently, obeys ctx, and may be repeated without harm.
type Driver interface {
	// Name is what status and metrics call the driver: "docker", "process".
	Name() string

	// Start runs one worker and returns once it is started, which is before it is ready.
	// When ctx ends or an error is returned, nothing of this start stays behind; what the driver could not remove at once it goes
	// on removing by itself. Errors: ErrPortTaken, ErrImageMissing, ErrUnavailable, *ExitError, or one that retrying may cure.
	Start(ctx context.Context, spec Spec) (Instance, error)

	// Stop asks the worker to end, waits up to grace, then forces it, and removes every trace of it.
	// A worker that is already gone is success. When Stop returns nil, the worker's host port is no longer held by the driver.
	Stop(ctx context.Context, id ID, grace time.Duration) error

	// List returns every worker of this instance, running or not, or an error: never a part of them.
	List(ctx context.Context) ([]Instance, error)

	// Close lets go of connections and helpers. It stops no worker unless the driver cannot outlive the process (process driver).
	Close() error
}

// Spec is everything a driver needs to start one worker. The scaler fills it; a driver never reads configuration.
type Spec struct {
	Pool         string
	Worker       string   // short id, unique in the instance; the last part of a container's name
	Generation   string   // fresh for every start; the identity the worker must answer with
	Hash         string   // of the configuration that makes this worker; differs when a reload calls for new workers
	Capabilities []string // what the worker can do, as configured
	Concurrency  int      // tasks at a time, at least 1

	Image   string   // empty: the worker built into this binary
	Pull    Pull     // when to pull Image
	Command []string // process driver: what to run; docker: overrides the image's command. "$PORT" is replaced by the port
	Env     []string // KEY=value; the driver adds PORT
	Port    int      // port the worker listens on inside its container; ignored by drivers that have no inside

	HostPort int // the port on 127.0.0.1 the worker must be reached at

	Security  Security
	Resources Resources
}

// Pull says when an image is pulled.
type Pull string

const (
	PullNever   Pull = "never"
	PullMissing Pull = "missing"
	PullAlways  Pull = "always"
)

// Level is a named set of hardening defaults; Security's other fields relax or tighten it one by one.
type Level string

const (
	// LevelStrict is for the worker inside this binary and images made like it: no root, read-only root, no capabilities, no egress.
	LevelStrict Level = "strict"
	// LevelStandard is for images made elsewhere: the image's user, a writable root, the few capabilities such images need, egress.
	LevelStandard Level = "standard"
)

// Security is how far a worker is fenced in. The zero value of a field means "as Level says". Drivers without fences ignore it.
type Security struct {
	Level    Level
	User     string
	ReadOnly *bool
	CapAdd   []string
	Tmpfs    []string // "/path" or "/path:options"
	Shm      int64    // bytes; 0: as Level says
	Egress   *bool    // may the worker open connections to the outside
	Mounts   []string // "/host/path:/container/path[:ro]"
	Devices  []string // "/dev/x" or "gpus=all"
	Network  string   // name of an existing network to join instead of our own
}

// Resources bound what one worker may use. Zero means the driver's default.
type Resources struct {
	Memory int64   // bytes
	CPUs   float64 // of a core
	Pids   int
}

// Instance is one worker as the driver sees it now. All of it but Running and ExitCode comes from what Start was given.
type Instance struct {
	ID           ID
	Pool         string
	Worker       string
	Generation   string
	Hash         string
	Capabilities []string
	HostPort     int    // 0 when it cannot be told
	Address      string // base URL, such as http://127.0.0.1:20000
	Running      bool
	ExitCode     int // of a worker that has ended
	Created      time.Time
	Took         Took // only of what Start returns
}

// Took is what the parts of a start took. Together they are the whole of Start.
type Took struct {
	Create time.Duration // until the worker existed: the image, a turn at the engine, the container; 0 where there is nothing to create
	Start  time.Duration // from then until it was started
}

// Preparer is a driver that can make starts quick and tell early what will fail: build or pull the image, check it.
// Errors are those of Start.
type Preparer interface {
	Prepare(ctx context.Context, spec Spec) error
}

// Inspector is a driver that can look at one worker. ErrNotFound when there is no such worker.
type Inspector interface {
	Inspect(ctx context.Context, id ID) (Instance, error)
}

// Logger is a driver that keeps what workers print, standard output and error together in order.
type Logger interface {
	// Logs yields the last tail lines (all when tail < 0) and, with follow, what comes after until the worker ends or ctx does.
	Logs(ctx context.Context, id ID, tail int, follow bool) (io.ReadCloser, error)
}

// Watcher is a driver that can hint that a worker ended. Hints may be lost, late or repeated: the list is the truth.
type Watcher interface {
	// Watch sends the id of a worker that ended by itself or by another's hand. The channel is closed when ctx ends.
	Watch(ctx context.Context) <-chan ID
}

// Sweeper is a driver that can remove all that an instance ever made: workers, networks, worker images no longer used.
type Sweeper interface {
	// Sweep returns one line for each thing removed, or, with dryRun, that would be.
	Sweep(ctx context.Context, dryRun bool) ([]string, error)
}
