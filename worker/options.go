package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	defaultListen  = ":8080"
	defaultGrace   = 10 * time.Second
	maxConcurrency = 10000
	maxGrace       = 10 * time.Minute
	maxIDLength    = 128
)

// Options say how a worker behaves. The zero value is a general worker on port 8080 that registers nowhere.
type Options struct {
	// Listen is HOST:PORT; empty: ":8080".
	Listen string

	// Capabilities are the kinds of task this worker does; all others get 404. nil: mult, add and sleep. A name it has no task for
	// behaves as sleep, and "*" takes every name. The list is sent along when the worker registers; nil sends none, as in the
	// original protocol.
	Capabilities []string

	// Without are kinds taken out of Capabilities. They are not sent along, so a planner learns of them by the 404 it gets: this is
	// what MULT=false and ADD=false mean.
	Without []string

	// ID names the worker in its answers; empty: a random one.
	ID string

	// Register is the base URL of a planner or of a balancer's admin or planner address; empty: the worker does not register.
	Register string

	// Address is the base URL the worker gives when it registers; empty: http://localhost and the port it listens on.
	Address string

	// Duration is how long a task takes, drawn evenly from the range; nil: 50 ms to 150 ms.
	Duration *Range

	// Concurrency is how many tasks may run at a time, 1 to 10000, of whatever kinds; it is sent along when the worker registers.
	// 0 is the original protocol's rule, and sends nothing: one task of each kind, so that a general worker may run a mult and an
	// add side by side. A balancer gives such a worker one task at a time, and one it starts itself is always told a number.
	Concurrency int

	// Identity comes back in the header X-Understudy-Identity of every answer, which proves to the balancer that the port is held
	// by the very worker it started. Empty: no such header.
	Identity string

	// Grace is how long running tasks may take to end when the worker is told to stop; 0: 10 s. At most 10 minutes.
	Grace time.Duration

	// Log takes the worker's log; nil: none.
	Log *slog.Logger
}

// Override returns o with every field that flags sets in its place. A list of capabilities in flags also ends what o was without.
func (o Options) Override(flags Options) Options {
	if flags.Capabilities != nil {
		o.Capabilities, o.Without = flags.Capabilities, nil
	}
	if flags.Without != nil {
		o.Without = flags.Without
	}
	if flags.Duration != nil {
		o.Duration = flags.Duration
	}
	if flags.Log != nil {
		o.Log = flags.Log
	}
	for _, field := range []struct{ to, from *string }{
		{&o.Listen, &flags.Listen}, {&o.ID, &flags.ID}, {&o.Register, &flags.Register},
		{&o.Address, &flags.Address}, {&o.Identity, &flags.Identity},
	} {
		if *field.from != "" {
			*field.to = *field.from
		}
	}
	if flags.Concurrency != 0 {
		o.Concurrency = flags.Concurrency
	}
	if flags.Grace != 0 {
		o.Grace = flags.Grace
	}
	return o
}

// Validate returns every problem there is with the options, joined, each one sentence with the value and what is legal.
func (o Options) Validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if _, _, err := net.SplitHostPort(o.Listen); o.Listen != "" && err != nil {
		report("listen is %q: it must be HOST:PORT or :PORT", o.Listen)
	}
	for _, name := range o.Capabilities {
		if name != wildcard && !isSegment(name) {
			report("capability %q is not a path segment: use letters, digits and . _ ~ -, or * alone for every name", name)
		}
	}
	if len(o.kinds()) == 0 {
		report("no capability is left to this worker: give it at least one with --capabilities")
	}
	if !isToken(o.ID) {
		report("id is %q: it must be at most %d printable ASCII characters without spaces", o.ID, maxIDLength)
	}
	if !isToken(o.Identity) {
		report("identity is %q: it must be at most %d printable ASCII characters without spaces", o.Identity, maxIDLength)
	}
	if !isBaseURL(o.Register) {
		report("register is %q: it must be a URL such as http://127.0.0.1:8081", o.Register)
	}
	if !isBaseURL(o.Address) {
		report("address is %q: it must be a URL such as http://127.0.0.1:8080", o.Address)
	}
	if o.Duration != nil {
		if err := o.Duration.validate(); err != nil {
			report("duration is %s: %w", o.Duration, err)
		}
	}
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		report("concurrency is %d: it must be 1 to %d", o.Concurrency, maxConcurrency)
	}
	if o.Grace < 0 || o.Grace > maxGrace {
		report("grace is %s: it must be 0s to %s", o.Grace, maxGrace)
	}
	return errors.Join(problems...)
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = defaultListen
	}
	if o.ID == "" {
		o.ID = newID()
	}
	if o.Duration == nil {
		o.Duration = &Range{Min: 50 * time.Millisecond, Max: 150 * time.Millisecond}
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// kinds is what the worker does in the end.
func (o Options) kinds() kindSet {
	names := o.Capabilities
	if names == nil {
		names = []string{kindMult, kindAdd, kindSleep}
	}
	var left kindSet
	for _, name := range names {
		if !slices.Contains(o.Without, name) && !slices.Contains(left, name) {
			left = append(left, name)
		}
	}
	return left
}

// isSegment tells whether name can be one path segment that no client or proxy rewrites.
func isSegment(name string) bool {
	if name == "" || name == "." || name == ".." {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("._~-", r)
	})
}

// isToken tells whether s may stand in a header, in JSON and in a log line without care. Empty is fine.
func isToken(s string) bool {
	return len(s) <= maxIDLength && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isBaseURL tells whether s is empty or a URL that a path can be put after.
func isBaseURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
}
