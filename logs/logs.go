// Package logs writes what a balancer has to say: the log, one line for each thing worth knowing, and the access log, one line for each
// request. Nothing a client, a worker or an engine says can end a line or reach the terminal as a control character.
package logs

import (
	"fmt"
	"io"
	"log/slog"
)

// Level turns debug, info, warn or error into what slog knows.
func Level(name string) (slog.Level, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[name]
	if !ok {
		return 0, fmt.Errorf("%q is no level: it must be debug, info, warn or error", name)
	}
	return level, nil
}

// New makes a logger that writes to w, which must be able to take lines from several goroutines one after the other, as os.File is. level may
// change while it is used.
func New(w io.Writer, asJSON bool, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if asJSON {
		options.ReplaceAttr = durationsAsText
		return slog.New(slog.NewJSONHandler(cleaner{w}, options))
	}
	return slog.New(slog.NewTextHandler(cleaner{w}, options))
}

// durationsAsText writes 19.1ms where slog would write nanoseconds without saying so.
func durationsAsText(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
