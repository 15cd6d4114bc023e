package scaler

import "understudy/driver"

// Image is what the workers of a pool are made of.
type Image struct {
	Ref    string           // as the configuration in force names it; empty: the worker inside this binary, or a command
	ID     string           // of the content that is started now; empty: not known yet
	Digest string           // by which the registry gives that content; empty: it came from none, or that is not known
	Stale  string           // why the registry was not asked for newer content; empty: it was, or need not be
	Pull   *driver.Progress // how far the pull of Ref is; nil: there is none
}

// Image tells what the workers of a pool are made of. It may be called concurrently and waits for no engine.
func (s *Scaler) Image(pool string) Image {
	s.mu.Lock()
	out := s.images[pool]
	for _, p := range s.Config.Pools {
		if p.Name == pool {
			out.Ref = p.Image
		}
	}
	s.mu.Unlock()
	if puller, ok := s.Driver.(driver.Puller); ok && out.Ref != "" {
		if progress, pulls := puller.Pulling(out.Ref); pulls {
			out.Pull = &progress
		}
	}
	return out
}

// setImage notes what starts are made of from now on.
func (s *Scaler) setImage(pool string, r recipe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.images[pool] = Image{ID: r.image, Digest: r.origin.Digest, Stale: r.origin.Stale}
}

func (s *Scaler) originOf(image string) driver.Origin {
	if puller, ok := s.Driver.(driver.Puller); ok && image != "" {
		return puller.Origin(image)
	}
	return driver.Origin{}
}
