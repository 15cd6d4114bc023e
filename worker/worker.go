// Package worker is the reference worker: a small HTTP server that does artificial tasks.
//
// It speaks the planner protocol to the letter. POST /mult and POST /add compute, after sleeping for a while to stand for real
// work; POST /sleep only sleeps, and so does any other capability the worker was given, so that a pool of any name can be tried
// out. GET / tells what the worker is doing. A worker may register with a planner or a balancer, and does so again and again, so
// that one that was restarted learns about it.
//
// It uses the standard library alone and does nothing before it listens: a container of it answers a few milliseconds after
// its start.
package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	headerTimeout = time.Minute     // for a client to send its request head
	idleTimeout   = 2 * time.Minute // longer than any balancer keeps an idle connection, so that it is never the worker that closes first
)

// Worker serves tasks. Make one with New; it is safe for concurrent use.
type Worker struct {
	opts      Options // as given, with defaults filled in
	kinds     kindSet
	desk      *desk
	log       *slog.Logger
	transport http.RoundTripper // how the planner is reached
}

// New checks the options, all of them at once, and returns a worker that does not listen yet.
func New(opts Options) (*Worker, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	return &Worker{
		opts:      opts,
		kinds:     opts.kinds(),
		desk:      &desk{limit: opts.Concurrency},
		log:       opts.Log.With("worker", opts.ID),
		transport: &http.Transport{DisableKeepAlives: true}, // one call each ten seconds is not worth an open connection
	}, nil
}

// Run listens and serves until ctx ends, then finishes what is running, for at most Options.Grace. It returns nil after an orderly end.
// Errors: options that are out of range, an address that cannot be listened on.
func Run(ctx context.Context, opts Options) error {
	w, err := New(opts)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", w.opts.Listen)
	if err != nil {
		return listenError(w.opts.Listen, err)
	}
	return w.Serve(ctx, listener)
}

// Serve is Run on a listener of the caller's, which it closes. Call it once.
func (w *Worker) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           w,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(w.log.Handler(), slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	var registering sync.WaitGroup
	defer registering.Wait()
	defer cancel()

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	w.log.Info("ready to work", "listen", listener.Addr().String(), "capabilities", w.kinds.String(), "duration", w.opts.Duration.String())
	if w.opts.Register != "" {
		call := w.registration(listener.Addr())
		registering.Go(func() { w.keepRegistered(ctx, call) })
	}

	select {
	case err := <-served:
		return fmt.Errorf("the worker stopped serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	w.shutdown(server)
	<-served
	return nil
}

// shutdown lets running tasks end, and cuts those off that outlast the grace.
func (w *Worker) shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), w.opts.Grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		w.log.Warn("tasks were still running when the grace was over and are cut off", "grace", w.opts.Grace)
		_ = server.Close() // its only news is that a socket was closed already
	}
}

// newID returns an id for a worker nobody named: 60 random bits, enough for workers started by hand and short enough to read.
func newID() string {
	return strings.ToLower(rand.Text()[:12])
}

func listenError(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s because another program has that port: choose another with --listen HOST:PORT or the environment PORT", address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %s without more rights: choose a port from 1024 up with --listen HOST:PORT or the environment PORT", address)
	}
	return fmt.Errorf("cannot listen on %s (%w): give an address of this machine with --listen HOST:PORT", address, err)
}
