package admin

import (
	"fmt"
	"time"
)

// Image is what the workers of a pool are made of.
type Image struct {
	Ref    string `json:"ref"`    // as the configuration names it from which starts are made now; empty: the worker inside the binary
	ID     string `json:"id"`     // of its content, on this engine; empty: not known yet
	Digest string `json:"digest"` // of its content, in its registry; empty: it came from none
	Stale  string `json:"stale"`  // why the registry could not say whether there is newer content; empty: it could, or was not to
}

// Pull is how far the pull of a pool's image is. What is not known yet is 0.
type Pull struct {
	Image  string    `json:"image"`
	Layers int       `json:"layers"`
	Done   int       `json:"done"`  // layers that are here
	Bytes  int64     `json:"bytes"` // received, of the layers begun
	Total  int64     `json:"total"`
	Since  time.Time `json:"since"`
}

func (p *view) image(pool string) (*Image, *Pull) {
	i := p.Images(pool)
	var image *Image
	if i.Ref != "" || i.ID != "" {
		image = &Image{Ref: i.Ref, ID: i.ID, Digest: i.Digest, Stale: plain(i.Stale)}
	}
	if i.Pull == nil {
		return image, nil
	}
	return image, &Pull{Image: i.Wanted, Layers: i.Pull.Layers, Done: i.Pull.Done, Bytes: i.Pull.Bytes, Total: i.Pull.Total, Since: i.Pull.Since.UTC()}
}

// image writes what the workers are made of, and how far a pull is.
func (s *screen) image(i *Image, pull *Pull) {
	if i != nil && i.Ref != "" {
		content := i.Digest
		if content == "" {
			content = i.ID
		}
		s.labelled("", "image", plain(i.Ref+" "+content))
		if i.Stale != "" {
			s.labelled(yellow, "", "perhaps not the newest: "+plain(i.Stale))
		}
	}
	if pull != nil {
		const mega = 1e6
		s.labelled("", "pulling", fmt.Sprintf("%s since %s: %d of %d layers, %.1f of %.1f MB", plain(pull.Image), showClock(pull.Since),
			pull.Done, pull.Layers, float64(pull.Bytes)/mega, float64(pull.Total)/mega))
	}
}
