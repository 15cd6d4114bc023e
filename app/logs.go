package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"understudy/driver"
)

const (
	logTail   = 200 // lines of the past for each worker
	logPeriod = 2 * time.Second
)

// logs writes what the workers of a pool printed, each line with the worker's name before it. With follow it goes on with what they
// and workers yet to come print, until ctx ends.
func (a *App) logs(ctx context.Context, pool string, follow bool, w io.Writer) error {
	logger, ok := a.driver.(driver.Logger)
	if !ok {
		return fmt.Errorf("the %s driver keeps no logs", a.driver.Name())
	}
	j := &logJoin{ctx: ctx, logger: logger, pool: pool, follow: follow, out: &lineWriter{w: w}, seen: map[driver.ID]bool{}}
	defer j.readers.Wait()
	ticker := time.NewTicker(logPeriod)
	defer ticker.Stop()
	for {
		all, err := a.driver.List(ctx)
		if err != nil {
			return err
		}
		if err := j.join(all); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// logJoin puts the output of many workers into one stream.
type logJoin struct {
	ctx     context.Context
	logger  driver.Logger
	pool    string
	follow  bool
	out     *lineWriter
	seen    map[driver.ID]bool
	readers sync.WaitGroup
}

// join begins to read from workers not seen before; without follow one after the other.
func (j *logJoin) join(all []driver.Instance) error {
	for _, inst := range all {
		if inst.Pool != j.pool || j.seen[inst.ID] {
			continue
		}
		j.seen[inst.ID] = true
		stream, err := j.logger.Logs(j.ctx, inst.ID, logTail, j.follow)
		if errors.Is(err, driver.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if j.follow {
			j.readers.Go(func() { j.out.copy(inst.Worker, stream) })
		} else {
			j.out.copy(inst.Worker, stream)
		}
	}
	return nil
}

// lineWriter writes whole lines, so that those of different workers never mix.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// longestLine is where a line is cut: a worker that never ends one must not fill our memory.
const longestLine = 16 << 10

func (l *lineWriter) copy(worker string, stream io.ReadCloser) {
	defer stream.Close()
	lines := bufio.NewReaderSize(stream, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 && !l.write(worker, bytes.TrimSuffix(line, []byte("\n"))) {
			return
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) { // what is left of a long line comes as the next
			return
		}
	}
}

// write reports false when nobody reads any more.
func (l *lineWriter) write(worker string, line []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.w, "%s | %s\n", worker, line)
	return err == nil
}
