package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"understudy/client"
)

func (s session) clientCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Generate load and report what came of it",
		Long: `Send requests and report latency, errors and the workers that answered. With --rate (or --trace) requests leave on schedule whatever has come
back, and latency counts from the moment each should have left; otherwise -c callers send back to back.`,
		Example: `  understudy client -n 1000
  understudy client --rate 20 --shape step --duration 60s --assert 'p95<300ms,errors=0'
  understudy client --trace arrivals.csv --speed 2 --format html -o report.html
  understudy client quit`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return s.runClient(cmd.Context(), f)
		},
	}
	f.register(cmd)
	cmd.AddCommand(s.quitCommand())
	return cmd
}

func (s session) runClient(ctx context.Context, f clientFlags) (err error) {
	assertions, err := f.parse()
	if err != nil {
		return err
	}
	out, err := s.reportTo(f.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	ctx, stop := s.stopBy(ctx)
	defer stop()
	report, err := client.Run(ctx, f.options, s.observer(f))
	if report == nil {
		return neverBegan(ctx, err)
	}
	report.Check(assertions)
	if err := errors.Join(err, s.writeReport(out, f, report)); err != nil {
		return err
	}
	return s.verdict(report)
}

// neverBegan says whose fault it is that nothing was sent: the target's, a signal's, or the command line's.
func neverBegan(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return err
	case ctx.Err() != nil:
		return interruptedError{}
	}
	return usageError{err}
}

// observer shows how the run goes: every response, or a bar, or nothing.
func (s session) observer(f clientFlags) client.Observer {
	if f.quiet {
		return nil
	}
	style := client.ProgressStyle{
		Terminal: isTerminal(s.err), Colour: s.colour(s.err), Width: func() int { return width(s.err) },
	}
	if f.verbose {
		return client.Verbose(s.err, nil)
	}
	return client.NewProgress(s.err, style)
}

func (s session) quitCommand() *cobra.Command {
	var to adminFlags
	cmd := &cobra.Command{
		Use:     "quit",
		Short:   "Ask the balancer to drain and end, and wait until it has",
		Example: "  understudy client quit --admin http://127.0.0.1:8081",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := s.stopBy(cmd.Context())
			defer stop()
			if err := client.Quit(ctx, to.url(), to.token(s.env)); err != nil {
				return err
			}
			_, err := fmt.Fprintln(s.err, "the balancer has ended")
			return err
		},
	}
	to.register(cmd)
	return cmd
}
