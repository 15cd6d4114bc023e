package cli

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"understudy/config"
	"understudy/logs"
)

// logger writes to standard error as the configuration says. The level can be changed while it is used.
func (s session) logger(c config.Log) (*slog.LevelVar, *slog.Logger) {
	level := &slog.LevelVar{}
	if l, err := logs.Level(c.Level); err == nil { // the configuration has been checked
		level.Set(l)
	}
	return level, logs.New(s.err, c.Format == "json" || c.Format == "auto" && !isTerminal(s.err), level)
}

// access writes the access log to standard output.
func (s session) access(c config.Log, log *slog.Logger) *logs.Access {
	return logs.NewAccess(s.out, logs.FormatOf(c.Access), log)
}

// outlivePipes keeps the process alive when whoever read its output has left: a log that nobody reads is no reason to stop serving. The
// writes fail instead. Children do not inherit this, as they would an ignored signal.
func outlivePipes() (stop func()) {
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}
