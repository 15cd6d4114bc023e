// Package cli is the command line: one file for each sub-command. A command turns flags into a call and the outcome into text and an exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"understudy/config"
)

// Exit codes, as documented for scripts.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitAssertion   = 3
	exitInterrupted = 130
)

// Build is what the binary knows of itself.
type Build struct {
	Version string
	Config  []byte // the shipped config.yaml
}

// session is one run of the program: where it reads and writes, so that tests can run commands in a process of their own making.
type session struct {
	Build
	args   []string
	env    []string
	out    io.Writer // for programs
	err    io.Writer // for people
	ctx    context.Context
	stopBy func(context.Context) (context.Context, context.CancelFunc) // signals; the identity in tests
}

// Execute runs the program with the process's own arguments and returns its exit code.
func Execute(b Build) int {
	return session{
		Build: b, args: os.Args[1:], env: os.Environ(), out: os.Stdout, err: os.Stderr,
		ctx: context.Background(), stopBy: stopBySignal,
	}.run()
}

func (s session) run() int {
	root := s.root()
	root.SetArgs(s.args)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(s.ctx)
	if err != nil && !errors.Is(err, errSilent) {
		fmt.Fprintln(s.err, "understudy:", err)
	}
	return codeOf(err)
}

func (s session) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "understudy",
		Short: "An autoscaling load balancer that drives the Docker daemon",
		Long: `understudy balances requests over workers in containers, one kind of task per capability, and starts and removes workers so that
a latency target is kept. One warm spare stands by and steps in without a start.`,
		Example:       "  understudy demo\n  understudy balancer --config config.yaml\n  understudy client --rate 20 --duration 30s",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return namedConfig(cmd) },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(
		s.balancerCommand(), s.workerCommand(), s.clientCommand(), s.demoCommand(), s.statusCommand(), s.explainCommand(), s.simulateCommand(),
		s.logsCommand(), s.configCommand(), s.cleanupCommand(), s.versionCommand(), s.guardCommand(), s.guardGroupsCommand(),
	)
	return root
}

// noArgs refuses arguments a command does not take, naming what it is near to.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(": did you mean %q?", near[0])
	}
	return usageError{fmt.Errorf("%s does not take %q%s; see %s --help", cmd.CommandPath(), args[0], hint, cmd.CommandPath())}
}

// namedConfig refuses a --config of nothing, as an unset variable of a script makes it: the configuration inside the program would take its place.
func namedConfig(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup("config"); f != nil && f.Changed && f.Value.String() == "" {
		return usageError{fmt.Errorf("--config is empty: name a file, or leave it out; see %s --help", cmd.CommandPath())}
	}
	return nil
}

// exclusive refuses two flags that contradict each other.
func exclusive(cmd *cobra.Command, a, b string) error {
	if cmd.Flags().Changed(a) && cmd.Flags().Changed(b) {
		return usageError{fmt.Errorf("--%s and --%s exclude each other; see %s --help", a, b, cmd.CommandPath())}
	}
	return nil
}

// stopBySignal ends ctx at the first SIGINT or SIGTERM; the second ends the process at once.
func stopBySignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case sig := <-signals:
				if n > 0 {
					os.Exit(exitInterrupted)
				}
				cancel(signalError{sig})
			case <-done:
				return
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); close(done); cancel(nil) }
}

// signalError is the cause of a context that a signal ended.
type signalError struct{ os.Signal }

func (e signalError) Error() string { return "stopped by signal: " + e.Signal.String() }

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errSilent has been explained already; it only sets the exit code.
var errSilent = errors.New("failed")

// assertionError is an --assert that did not hold; its clauses have been printed.
type assertionError struct{}

func (assertionError) Error() string        { return "an assertion did not hold" }
func (assertionError) Is(target error) bool { return target == errSilent }

// interruptedError is a run that a signal ended before its time; what there was has been printed.
type interruptedError struct{}

func (interruptedError) Error() string        { return "interrupted" }
func (interruptedError) Is(target error) bool { return target == errSilent }

func codeOf(err error) int {
	var usage usageError
	var problems config.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &assertionError{}):
		return exitAssertion
	case errors.As(err, &interruptedError{}):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &problems):
		return exitUsage
	default:
		return exitFailed
	}
}
