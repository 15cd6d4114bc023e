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

	Publish  Publish
	HostPort int // the port on 127.0.0.1 the worker must be reached at; 0 with PublishNetwork

	Security  Security
	Resources Resources
	Logs      LogLimits
}

// Pull says when an image is pulled.
type Pull string

const (
	PullNever   Pull = "never"
	PullMissing Pull = "missing"
	PullAlways  Pull = "always"
)

// Publish is how a worker is reached.
type Publish string

const (
	// PublishLoopback gives the worker a port of the host, on 127.0.0.1. It is what an empty Publish means.
	PublishLoopback Publish = "loopback"
	// PublishNetwork gives it none: it is reached at the address the driver finds it to have once it runs.
	PublishNetwork Publish = "network"
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
	Init     *bool    // a first process that reaps and passes signals on
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

// LogLimits bound what is kept of one worker's output: the newest Files files of Size. Zero means the driver's default.
type LogLimits struct {
	Size  int64 // bytes
	Files int
}

// Instance is one worker as the driver sees it now. All of it but Image, Running, Paused and ExitCode comes from what Start was given.
type Instance struct {
	ID           ID
	Pool         string
	Worker       string
	Generation   string
	Hash         string
	Image        string // id of the content it runs; empty where the driver knows none
	Capabilities []string
	HostPort     int    // 0 when it has none or it cannot be told
	Address      string // base URL, such as http://127.0.0.1:20000; empty when it cannot be told. An address is used again once a worker has ended
	Running      bool
	Paused       bool // it runs and is frozen: it answers nobody
	ExitCode     int  // of a worker that has ended
	OOM          bool // of one that has ended: the engine says that it ran out of memory. Only Inspect tells
	Removing     bool // of one that has ended: somebody is removing it. Only Inspect tells
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

// Joiner is a driver that must take a place beside workers before it reaches those that have no port of the host. It is asked once, before a
// balancer with PublishNetwork lists what workers there are.
type Joiner interface {
	// Join makes workers reachable. Its errors are for a person, ErrUnavailable among them: that another balancer of the instance has that
	// place, or that nobody can reach them from here.
	Join(ctx context.Context) error
}

// Resolver is a driver whose images have names that may come to mean something else.
type Resolver interface {
	// Resolve is Prepare, and says what came of it: the id that Instance.Image has of every worker started from this spec until the next Prepare
	// or Resolve of it. With that id for its Image and PullNever a spec starts this very content, whatever the name means by then.
	Resolve(ctx context.Context, spec Spec) (image string, err error)
}

// Puller is a driver whose images come from registries. Both methods answer at once, from memory.
type Puller interface {
	// Pulling tells how far the pull of an image is. It reports false when none is under way.
	Pulling(image string) (Progress, bool)
	// Origin tells where the content with the id that Resolve returned came from. The zero Origin: that is not known.
	Origin(id string) Origin
}

// Progress is how far a pull is. What the engine has not told yet is 0.
type Progress struct {
	Layers, Done int   // done are unpacked, or were there before
	Bytes, Total int64 // received, of the layers that it has begun to receive
	Since        time.Time
}

// Origin is where the content of an image came from.
type Origin struct {
	Digest string // by which the registry gives this content to everybody; empty: it came from none
	Stale  string // why the registry was not asked whether there is newer content, though it should have been; empty: it was, or should not be
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

// Watcher is a driver that can hint that a worker ended. Hints may be lost, late or repeated: the list is the truth. It may lag behind
// a hint; Inspect, where there is one, does not.
type Watcher interface {
	// Watch sends the id of a worker that ended by itself or by another's hand, and an empty id when hints may have been lost: the list
	// tells. The channel is closed when ctx ends.
	Watch(ctx context.Context) <-chan ID
}

// Pauser is a driver that can freeze workers: a frozen one keeps its memory and its port, uses no CPU and answers nobody. ErrNotFound when
// there is no such worker; any other error leaves open whether it is frozen. Stop works on a frozen worker as on any other, without grace.
type Pauser interface {
	// Pause freezes a worker that runs. One that is frozen already is success.
	Pause(ctx context.Context, id ID) error
	// Resume lets it go on. One that is not frozen is success. A request waits for it, so it waits for no start, stop or list of this driver.
	Resume(ctx context.Context, id ID) error
}

// Sweeper is a driver that can remove all that an instance ever made: workers, networks, worker images no longer used.
type Sweeper interface {
	// Sweep returns one line for each thing removed, or, with dryRun, that would be.
	Sweep(ctx context.Context, dryRun bool) ([]string, error)
}
