package scaler

import (
	"context"
	"errors"
	"time"

	"understudy/config"
	"understudy/driver"
)

// recipe is what the workers of a pool are made from.
type recipe struct {
	cfg    config.Pool
	hash   string
	image  string // id of the content; empty: not known
	origin driver.Origin
	pinned bool // exactly that content is started, whatever its name means by now
}

func recipeOf(c config.Pool, image string) recipe {
	return recipe{cfg: c, hash: c.Fingerprint(), image: image}
}

// makes tells whether a worker with this hash and content is what the recipe makes. What is not known is no reason to replace it.
func (r recipe) makes(hash, image string) bool {
	return (hash == "" || hash == r.hash) && (image == "" || r.image == "" || image == r.image)
}

// pin makes a spec start the content that the recipe worked with.
func (r recipe) pin(spec driver.Spec) driver.Spec {
	if r.pinned && r.image != "" {
		spec.Image, spec.Pull = r.image, driver.PullNever
	}
	return spec
}

const (
	prepareRetry   = 10 * time.Second // after the engine was away; and first, where something was refused and there is nothing to go back to
	prepareRarely  = 5 * time.Minute  // the longest after refusals, for a registry is asked each time
	preparedWorker = "prepared"       // a spec that is only looked at has a name, and a port that nothing listens on
)

// lookUp has the image of every pool be prepared, so that the first start is quick, and what was adopted is compared with what would be started now.
func (s *Scaler) lookUp() {
	for _, p := range s.pools {
		if p.cfg.Scaled() {
			c := p.cfg
			p.wanted = &c
		}
	}
}

// reconfigure takes over what a reload says of a pool: at once how its workers are treated, and what they are made from as soon as
// that is prepared.
func (s *Scaler) reconfigure(p *poolState, c config.Pool) {
	p.loads++
	if c.MembersOnly() || p.cfg.MembersOnly() {
		p.cfg, p.made, p.wanted = c, recipeOf(c, ""), nil
		return
	}
	p.cfg = c.MadeAs(p.cfg)
	p.wanted, p.prepareAt = &c, 0
	p.unprepared.Reset()
}

// prepare has the driver get what the pool's next workers are made from, and say which content that is. Starts go on as before meanwhile.
func (s *Scaler) prepare(ctx context.Context, p *poolState) {
	if p.wanted == nil || p.preparing || s.Fleet.Clock() < p.prepareAt {
		return
	}
	p.preparing = true
	want, load := *p.wanted, p.loads
	port := s.Config.Ports.From
	if s.Config.ByAddress() {
		port = 0
	}
	spec := s.newSpec(want, preparedWorker, "", port)
	s.launch(func() func() {
		image, err := s.resolve(ctx, spec)
		origin := s.originOf(image)
		return func() {
			p.preparing = false
			if load == p.loads && ctx.Err() == nil { // else there is newer word, or nobody waited to the end
				s.prepared(p, want, image, origin, err)
			}
		}
	})
}

func (s *Scaler) resolve(ctx context.Context, spec driver.Spec) (image string, err error) {
	switch d := s.Driver.(type) {
	case driver.Resolver:
		image, err = d.Resolve(ctx, spec)
	case driver.Preparer:
		err = d.Prepare(ctx, spec)
	}
	if err != nil {
		s.Recorder.DriverError(s.Driver.Name(), "prepare")
	}
	return image, err
}

// prepared applies the end of a preparation, in the loop. One that failed changes nothing while there is something that works; without that
// there is nothing to lose by starts from it, which then say what is wrong, and it is tried again.
func (s *Scaler) prepared(p *poolState, want config.Pool, image string, origin driver.Origin, err error) {
	next := recipeOf(want, image)
	next.origin = origin
	away := errors.Is(err, driver.ErrUnavailable)
	switch {
	case err == nil:
		p.wanted = nil
		s.change(p, next)
	case p.good != nil && !away:
		p.wanted = nil
		s.refuse(p, err)
	default:
		p.prepareAt = s.Fleet.Clock() + p.prepareAgain(away)
		n := s.survey(p)
		if n.ready+n.starting == 0 && !away {
			p.wanted = nil
			s.change(p, next)
		}
		s.setRollout(p, func(r *Rollout) { r.Error = err.Error() })
	}
}

// prepareAgain is how long to wait after a preparation that failed.
func (p *poolState) prepareAgain(away bool) time.Duration {
	if away {
		return prepareRetry
	}
	p.unprepared.Base, p.unprepared.Max = prepareRetry, prepareRarely
	return p.unprepared.Next()
}
