package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"understudy/client"
)

// clientFlags are the flags of `client` as a person gives them.
type clientFlags struct {
	options         client.Options
	shape, mix      string
	headers, bodies []string
	format, output  string
	assert          string
	verbose, quiet  bool
}

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
			if err := errors.Join(noZeros(cmd.Flags()), exclusive(cmd, "rate", "trace"), exclusive(cmd, "verbose", "quiet")); err != nil {
				return err
			}
			return s.runClient(cmd.Context(), f)
		},
	}
	f.register(cmd)
	cmd.AddCommand(s.quitCommand())
	return cmd
}

func (f *clientFlags) register(cmd *cobra.Command) {
	o, fs := &f.options, cmd.Flags()
	fs.StringVar(&o.Target, "target", client.DefaultTarget, "base URL of the balancer")
	fs.IntVarP(&o.N, "requests", "n", 0, "end after so many requests (default 100 when nothing else ends the run)")
	fs.DurationVar(&o.Duration, "duration", 0, "end after so long")
	fs.IntVarP(&o.Concurrency, "concurrency", "c", 0, "callers that send back to back (default 1)")
	fs.Float64Var(&o.Rate, "rate", 0, "requests per second at the peak of the shape, sent on schedule")
	fs.StringVar(&f.shape, "shape", "constant", "how the rate changes: "+joinShapes())
	fs.StringVar(&o.Trace, "trace", "", "replay the arrivals of a CSV file: t[,duration_ms][,kind]")
	fs.Float64Var(&o.Speed, "speed", 0, "play a trace so many times as fast (default 1)")
	fs.StringVar(&f.mix, "mix", "", "capabilities by weight, such as mult=2,add=1 (default mult)")
	fs.StringVar(&o.Method, "method", http.MethodPost, "method of the requests")
	fs.StringArrayVar(&f.headers, "header", nil, "'Name: value' for every request; may be repeated")
	fs.StringArrayVar(&f.bodies, "body", nil, "FILE or CAPABILITY=FILE to send as the body; may be repeated")
	fs.BoolVar(&o.Unverified, "no-verify", false, "do not check the results of mult and add")
	fs.DurationVar(&o.Timeout, "timeout", client.DefaultTimeout, "the longest one request may take")
	fs.StringVar(&f.format, "format", "text", "of the report: text, json, csv or html")
	fs.StringVarP(&f.output, "output", "o", "", "FILE for the report (default standard output)")
	fs.StringVar(&f.assert, "assert", "", "what must hold, such as 'p95<300ms,errors=0,mult.p99<500ms'; else exit code 3")
	fs.Uint64Var(&o.Seed, "seed", 1, "of the random choices: the same seed makes the same requests")
	fs.BoolVar(&f.verbose, "verbose", false, "print every response: time, status, worker, start")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress")
}

// noZeros refuses a zero that was given: to the library zero means that nothing was.
func noZeros(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "requests", "duration", "concurrency", "rate", "speed", "timeout":
			if v := f.Value.String(); v == "0" || v == "0s" {
				err = usageError{fmt.Errorf("--%s is %s: it must be more than 0", f.Name, v)}
			}
		}
	})
	return err
}

func joinShapes() string {
	var names []string
	for _, shape := range client.Shapes() {
		names = append(names, string(shape))
	}
	return strings.Join(names, ", ")
}

// parse reads what flags alone cannot check.
func (f *clientFlags) parse() ([]client.Assertion, error) {
	if !slices.Contains([]string{"text", "json", "csv", "html"}, f.format) {
		return nil, usageError{fmt.Errorf("--format is %q: it must be text, json, csv or html", f.format)}
	}
	f.options.Shape = client.Shape(f.shape)
	var assertions []client.Assertion
	var err error
	if f.assert != "" {
		if assertions, err = client.ParseAssertions(f.assert); err != nil {
			return nil, usageError{err}
		}
	}
	if f.mix != "" {
		if f.options.Mix, err = client.ParseMix(f.mix); err != nil {
			return nil, usageError{err}
		}
	}
	if f.options.Header, err = parseHeaders(f.headers); err != nil {
		return nil, usageError{err}
	}
	if f.options.Bodies, err = readBodies(f.bodies); err != nil {
		return nil, usageError{err}
	}
	if err := f.options.Validate(); err != nil {
		return nil, usageError{err}
	}
	return assertions, nil
}

func parseHeaders(lines []string) (http.Header, error) {
	headers := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("--header %q: it must be 'Name: value'", line)
		}
		headers.Add(name, strings.TrimSpace(value))
	}
	return headers, nil
}

func readBodies(args []string) (map[string][]byte, error) {
	bodies := map[string][]byte{}
	for _, arg := range args {
		capability, file, ok := strings.Cut(arg, "=")
		if !ok {
			capability, file = "", arg
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--body: %w", err)
		}
		bodies[capability] = body
	}
	return bodies, nil
}

func (s session) runClient(ctx context.Context, f clientFlags) error {
	assertions, err := f.parse()
	if err != nil {
		return err
	}
	out, closeOut, err := s.reportTo(f.output)
	if err != nil {
		return err
	}
	ctx, stop := s.stopBy(ctx)
	defer stop()
	report, err := client.Run(ctx, f.options, s.observer(f))
	if report == nil {
		return err
	}
	report.Check(assertions)
	if err := s.writeReport(out, f, report); err != nil {
		return err
	}
	if err := closeOut(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return s.verdict(report)
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

// reportTo opens the report's file before the load begins, so that a name that cannot be written wastes nobody's minutes.
func (s session) reportTo(name string) (io.Writer, func() error, error) {
	if name == "" || name == "-" {
		return s.out, func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--output: %w", err)}
	}
	return file, file.Close, nil
}

func (s session) writeReport(w io.Writer, f clientFlags, r *client.Report) error {
	switch f.format {
	case "json":
		return r.WriteJSON(w)
	case "csv":
		return r.WriteCSV(w)
	case "html":
		return r.WriteHTML(w)
	default:
		return r.WriteText(w, f.output == "" && s.colour(w))
	}
}

// verdict turns a report into an exit code: 3 when an assertion failed, 130 when a signal cut it short.
func (s session) verdict(r *client.Report) error {
	failed := false
	for _, o := range r.Assertions {
		if !o.OK {
			failed = true
			fmt.Fprintf(s.err, "assertion failed: %s: %s\n", o.Text, o.Got)
		}
	}
	switch {
	case failed:
		return assertionError{}
	case r.Interrupted:
		return interruptedError{}
	default:
		return nil
	}
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
