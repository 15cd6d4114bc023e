package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
)

// pullTries is how often one pull is tried while the registry is away: a moment's trouble shall not undo a change. The engine itself fetches a layer
// again that was cut off. Who wants the image tries again later, less and less often.
const pullTries = 3

// pull pulls an image with the credentials the docker CLI keeps for its registry. Whatever the registry answers, the image is
// missing then, with the reason; only an engine that is away is driver.ErrUnavailable.
func (d *Driver) pull(ctx context.Context, ref string) error {
	wait := driver.Backoff{Base: d.engine.limits.again, Max: 8 * d.engine.limits.again}
	for try := 1; ; try++ {
		err := d.pullOnce(ctx, ref)
		if !errors.Is(err, errRegistryAway) || errors.Is(err, errNotSoon) || try == pullTries {
			return err
		}
		d.log.Warn("docker: an image cannot be pulled now, it is tried again", "image", ref, "try", try, "of", pullTries, "error", err)
		if pause(ctx, wait.Next()) != nil {
			return err
		}
	}
}

func (d *Driver) pullOnce(ctx context.Context, ref string) error {
	auth, unread := credentials(ctx, ref, d.engine.limits.helper)
	p := d.pulls.begin(ref, time.Now())
	defer d.pulls.end(p)
	d.log.Info("docker: pulling an image", "image", ref)
	limits := d.engine.limits
	err := d.engine.do(ctx, limits.pull+limits.stall, "pull image "+ref, func(ctx context.Context) error {
		return d.receive(ctx, p, auth)
	})
	state := p.progress()
	switch {
	case err == nil:
		d.log.Info("docker: pulled an image", "image", ref, "layers", state.Layers, "bytes", state.Bytes, "took", time.Since(state.Since).Round(time.Millisecond))
		return nil
	case errors.Is(err, driver.ErrUnavailable) || ctx.Err() != nil:
		return err
	}
	return d.pullFailure(ref, err, unread)
}

var (
	errStalled = errors.New("nothing has been heard of the pull")
	errTooLong = errors.New("the pull has not come to its end")
)

// receive has the engine pull and reads its report to the end. A registry that sends nothing would keep the engine waiting for ever.
func (d *Driver) receive(ctx context.Context, p *pulling, auth string) error {
	limits := d.engine.limits
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(limits.stall, func() { cancel(fmt.Errorf("%w for %s", errStalled, limits.stall)) })
	defer stalled.Stop()
	late := time.AfterFunc(limits.pull, func() { cancel(fmt.Errorf("%w within %s", errTooLong, limits.pull)) })
	defer late.Stop()
	err := d.report(ctx, p, auth, func() { stalled.Reset(limits.stall) })
	if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errStalled) || errors.Is(cause, errTooLong)) {
		return cause
	}
	return err
}

func (d *Driver) report(ctx context.Context, p *pulling, auth string, heard func()) error {
	body, err := d.engine.api().ImagePull(ctx, p.ref, imagetypes.PullOptions{RegistryAuth: auth})
	if err != nil {
		return err
	}
	defer body.Close()
	return d.follow(body, p, heard)
}

// follow reads the engine's report. However much it says, the log has a line every few seconds.
func (d *Driver) follow(report io.Reader, p *pulling, heard func()) error {
	said := time.Now()
	return messages(report, func(m message) {
		if p.hear(m) {
			heard()
		}
		if now := time.Now(); now.Sub(said) >= d.engine.limits.say {
			said = now
			s := p.progress()
			d.log.Info("docker: still pulling an image", "image", p.ref, "layers", s.Layers, "done", s.Done, "bytes", s.Bytes, "of", s.Total)
		}
	})
}
