// Package process is the driver that runs workers as child processes, where there is no container engine. It fences nothing
// in: no limits, no isolation. Workers end when the balancer ends in order, with all that they have started and that has stayed in
// their process groups. When it is killed, the kernel ends the workers themselves (on Linux); the rest is for whoever hears of the
// groups (Options.Groups) and knows the mark (Options.Mark).
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"understudy/driver"
)

// closeGrace is how long workers that nobody has stopped get to end in Close.
const closeGrace = time.Second

// Options say what is run when a spec names no command.
type Options struct {
	// Executable is run as "EXECUTABLE worker --listen 127.0.0.1:PORT" for specs without a command. Empty: this program.
	Executable string
	// Log gets what happens in the background. nil: nobody wants it.
	Log *slog.Logger
	// Groups hears of every process group. nil: nobody wants to.
	Groups Groups
	// Mark is for all that workers start. Zero: none.
	Mark Mark
}

// Driver runs workers as children. Make one with New; all methods may be called concurrently.
type Driver struct {
	executable string
	log        *slog.Logger
	launch     launcher
	groups     Groups
	mark       Mark

	mu       sync.Mutex
	closed   bool                    // guarded by mu
	children map[driver.ID]*child    // guarded by mu
	started  int                     // guarded by mu: children so far
	booked   map[int]bool            // guarded by mu: ports of starts under way
	starts   sync.WaitGroup          // starts under way; Add is guarded by mu
	watchers map[chan driver.ID]bool // guarded by mu
}

// New returns a driver without workers.
func New(opts Options) (*Driver, error) {
	if opts.Executable == "" {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("cannot find this program's own file, which workers are run from: %w", err)
		}
		opts.Executable = path
	}
	if opts.Groups == nil {
		opts.Groups = unheard{}
	}
	return &Driver{
		executable: opts.Executable,
		log:        cmp.Or(opts.Log, slog.New(slog.DiscardHandler)),
		launch:     newLauncher(),
		groups:     opts.Groups,
		mark:       opts.Mark,
		children:   map[driver.ID]*child{},
		booked:     map[int]bool{},
		watchers:   map[chan driver.ID]bool{},
	}, nil
}

// Name implements driver.Driver.
func (d *Driver) Name() string { return "process" }

// errClosed is what a start on a closed driver gets.
var errClosed = errors.New("the process driver is closed")

// Close ends every worker: children cannot outlive their parent. It may be called more than once.
func (d *Driver) Close() error {
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	d.mu.Unlock()
	d.starts.Wait()
	all, err := d.List(context.Background())
	var group sync.WaitGroup
	for _, inst := range all {
		group.Go(func() { d.Stop(context.Background(), inst.ID, closeGrace) }) // cannot fail without a context that ends
	}
	group.Wait()
	if first {
		d.launch.close()
	}
	return err
}

// The driver keeps all the abilities that make sense without an engine.
var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Preparer  = (*Driver)(nil)
	_ driver.Inspector = (*Driver)(nil)
	_ driver.Logger    = (*Driver)(nil)
	_ driver.Watcher   = (*Driver)(nil)
)
