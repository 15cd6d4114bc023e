package docker

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"understudy/driver"
)

// Logs implements driver.Logger.
func (d *Driver) Logs(ctx context.Context, id driver.ID, tail int, follow bool) (io.ReadCloser, error) {
	found, err := d.owned(ctx, string(id))
	if err != nil {
		return nil, err
	}
	streaming, stop := context.WithCancel(ctx)
	head := time.AfterFunc(d.engine.limits.inspect, stop)                                     // the head of the answer must come; its body may take its time
	body, err := d.engine.api().ContainerLogs(streaming, found.ID, logsOptions(tail, follow)) // owned has seen to the client
	if !head.Stop() && ctx.Err() == nil {
		if err == nil {
			body.Close()
		}
		err = context.DeadlineExceeded
	}
	if err != nil {
		stop()
		return nil, d.engine.explain(ctx, "read the logs of container "+found.Name, d.engine.limits.inspect, err)
	}
	reader, writer := io.Pipe()
	go func() {
		defer body.Close()
		_, err := stdcopy.StdCopy(writer, writer, body)
		if ctx.Err() != nil {
			err = nil // asked for: the end, not a failure
		}
		writer.CloseWithError(err)
	}()
	return &logReader{reader, stop}, nil
}

func logsOptions(tail int, follow bool) container.LogsOptions {
	opts := container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: follow, Tail: "all"}
	if tail >= 0 {
		opts.Tail = strconv.Itoa(tail)
	}
	return opts
}

// logReader ends the engine's stream when it is closed.
type logReader struct {
	*io.PipeReader
	stop context.CancelFunc
}

func (r *logReader) Close() error {
	r.stop()
	return r.PipeReader.Close()
}
