package worker

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// FromEnv reads the environment (KEY=value, as os.Environ gives it). What is not there stays zero, so the result can be overridden:
//
//	PORT, HOST                where to listen; default: port 8080 on every address
//	MULT, ADD                 "false" turns that kind off
//	PLANNER                   where to register; unset: nowhere
//	ADDRESS                   the URL to register under
//	DURATION                  how long a task takes: 50ms..150ms
//	UNDERSTUDY_IDENTITY       what to answer in X-Understudy-Identity
//	UNDERSTUDY_WORKER         the worker's id
//	UNDERSTUDY_CAPABILITIES   comma-separated
//	UNDERSTUDY_CONCURRENCY    tasks at a time
//
// The error holds every value that cannot be read, each in one sentence. Options.Validate checks the rest.
func FromEnv(env []string) (Options, error) {
	value := lookup(env)
	opts := Options{
		Capabilities: SplitList(value["UNDERSTUDY_CAPABILITIES"]),
		ID:           value["UNDERSTUDY_WORKER"],
		Register:     value["PLANNER"],
		Address:      value["ADDRESS"],
		Identity:     value["UNDERSTUDY_IDENTITY"],
	}
	if strings.EqualFold(value["MULT"], "false") {
		opts.Without = append(opts.Without, kindMult)
	}
	if strings.EqualFold(value["ADD"], "false") {
		opts.Without = append(opts.Without, kindAdd)
	}

	var problems []error
	var err error
	if opts.Listen, err = listenFrom(value["HOST"], value["PORT"]); err != nil {
		problems = append(problems, err)
	}
	if text := value["DURATION"]; text != "" {
		opts.Duration = new(Range)
		if err := opts.Duration.Set(text); err != nil {
			problems = append(problems, fmt.Errorf("the environment's DURATION is %q: %w", text, err))
		}
	}
	if text := value["UNDERSTUDY_CONCURRENCY"]; text != "" {
		if opts.Concurrency, err = strconv.Atoi(text); err != nil {
			problems = append(problems, fmt.Errorf("the environment's UNDERSTUDY_CONCURRENCY is %q: it must be a whole number", text))
		}
	}
	return opts, errors.Join(problems...)
}

// SplitList reads a comma-separated list, as --capabilities and UNDERSTUDY_CAPABILITIES have it: spaces around names do not count, nor
// do empty names; nil when there is none.
func SplitList(text string) []string {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// lookup makes a map of an environment; of a key given twice the last counts, as in a shell.
func lookup(env []string) map[string]string {
	values := make(map[string]string, len(env))
	for _, line := range env {
		if key, value, ok := strings.Cut(line, "="); ok {
			values[key] = value
		}
	}
	return values
}

func listenFrom(host, port string) (string, error) {
	if host == "" && port == "" {
		return "", nil
	}
	if port == "" {
		port = strings.TrimPrefix(defaultListen, ":")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("the environment's PORT is %q: it must be 0 to 65535", port)
	}
	return net.JoinHostPort(host, port), nil
}
