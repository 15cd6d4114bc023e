package scaler

import "understudy/driver"

// Image is what the workers of a pool are made of.
type Image struct {
	Ref    string           // as the configuration names it from which starts are made now, which may be one from before a change that is under way or refused; empty: the worker inside this binary, or a command
	ID     string           // of the content that is started now; empty: not known yet
	Digest string           // by which the registry gives that content; empty: it came from none, or that is not known
	Stale  string           // why the registry was not asked for newer content; empty: it was, or need not be
	Wanted string           // as the newest configuration names it
	Pull   *driver.Progress // how far the pull of Wanted is; nil: there is none
}

// Image tells what the workers of a pool are made of. It may be called concurrently and waits for no engine.
func (s *Scaler) Image(pool string) Image {
	s.mu.Lock()
	out, prepared := s.images[pool]
	for _, p := range s.Config.Pools {
		if p.Name == pool {
			out.Wanted = p.Image
		}
	}
	s.mu.Unlock()
	if !prepared {
		out.Ref = out.Wanted
	}
	if puller, ok := s.Driver.(driver.Puller); ok && out.Wanted != "" {
		if progress, pulls := puller.Pulling(out.Wanted); pulls {
			out.Pull = &progress
		}
	}
	return out
}

// setImage notes what starts are made of from now on.
func (s *Scaler) setImage(pool string, r recipe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.images[pool] = Image{Ref: r.cfg.Image, ID: r.image, Digest: r.origin.Digest, Stale: r.origin.Stale}
}

func (s *Scaler) originOf(image string) driver.Origin {
	if puller, ok := s.Driver.(driver.Puller); ok && image != "" {
		return puller.Origin(image)
	}
	return driver.Origin{}
}
