package cli

import (
	"errors"
	"fmt"
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
	trust           trustFlags
	verbose, quiet  bool
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
	f.trust.register(fs)
	fs.StringVar(&f.format, "format", "text", "of the report: text, json, csv or html")
	fs.StringVarP(&f.output, "output", "o", "", "FILE for the report (default standard output)")
	fs.StringVar(&f.assert, "assert", "", "what must hold, such as 'p95<300ms,errors=0,mult.p99<500ms'; else exit code 3")
	fs.Uint64Var(&o.Seed, "seed", 1, "of the random choices: the same seed makes the same requests")
	fs.BoolVar(&f.verbose, "verbose", false, "print every response: time, status, worker, start")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress")
}

// check finds what the flags tell to be wrong before anything inside of them is read.
func (f *clientFlags) check(cmd *cobra.Command) error {
	if err := errors.Join(notNothing(cmd.Flags()), exclusive(cmd, "rate", "trace"), exclusive(cmd, "shape", "trace"), exclusive(cmd, "verbose", "quiet"),
		exclusive(cmd, "ca", "insecure")); err != nil {
		return err
	}
	given := cmd.Flags().Changed
	switch {
	case given("speed") && !given("trace"):
		return usageError{errors.New("--speed is given without --trace: it is how many times as fast a trace is played")}
	case given("shape") && !given("rate"):
		return usageError{fmt.Errorf("--shape %s is given without --rate: give the highest rate it shall reach", f.shape)}
	}
	return nil
}

// notNothing refuses a zero, or an empty word, that was given: to the library it means that nothing was, and a variable that happens to
// be empty must not turn an assertion off.
func notNothing(flags *pflag.FlagSet) error {
	var wrong []error
	flags.Visit(func(f *pflag.Flag) {
		v := f.Value.String()
		switch f.Name {
		case "requests", "duration", "concurrency", "rate", "speed", "timeout":
			if v == "0" || v == "0s" {
				wrong = append(wrong, usageError{fmt.Errorf("--%s is %s: it must be more than 0", f.Name, v)})
			}
		case "target", "shape", "trace", "mix", "method", "output", "assert", "ca":
			if v == "" {
				wrong = append(wrong, usageError{fmt.Errorf("--%s is empty: say what it shall be, or leave it out", f.Name)})
			}
		}
	})
	return errors.Join(wrong...)
}

func joinShapes() string {
	var names []string
	for _, shape := range client.Shapes() {
		names = append(names, string(shape))
	}
	return strings.Join(names, ", ")
}

// parse reads what is written inside of a flag.
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
	if f.options.TLS, err = f.trust.config(); err != nil {
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
		if file == "" {
			return nil, fmt.Errorf("--body %q names no file: it must be FILE or CAPABILITY=FILE", arg)
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--body: %w", err)
		}
		bodies[capability] = body
	}
	return bodies, nil
}
