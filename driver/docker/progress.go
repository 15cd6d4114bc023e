package docker

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"understudy/driver"
)

// message is one line of the engine's report on a pull or an import.
type message struct {
	ID       string `json:"id"` // of a layer, in a pull
	Status   string `json:"status"`
	Error    string `json:"error"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
}

// messages reads the engine's report to its end; what it is about is over only then, and fails in the middle of it.
func messages(r io.Reader, hear func(message)) error {
	lines := json.NewDecoder(r)
	for {
		var m message
		switch err := lines.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != "":
			return errors.New(m.Error)
		}
		hear(m)
	}
}

// pulls are those under way. The zero value is ready.
type pulls struct {
	mu  sync.Mutex
	now map[string]*pulling // guarded by mu; by reference
}

// pulling is one pull under way.
type pulling struct {
	ref   string
	since time.Time

	mu     sync.Mutex
	layers map[string]*layer // guarded by mu
}

type layer struct {
	status          string
	received, total int64
	done            bool
}

func (p *pulls) begin(ref string, now time.Time) *pulling {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		p.now = map[string]*pulling{}
	}
	one := &pulling{ref: ref, since: now, layers: map[string]*layer{}}
	p.now[ref] = one
	return one
}

func (p *pulls) end(one *pulling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now[one.ref] == one {
		delete(p.now, one.ref)
	}
}

// Pulling implements driver.Puller.
func (d *Driver) Pulling(image string) (driver.Progress, bool) {
	d.pulls.mu.Lock()
	one := d.pulls.now[image]
	d.pulls.mu.Unlock()
	if one == nil {
		return driver.Progress{}, false
	}
	return one.progress(), true
}

func (p *pulling) progress() driver.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := driver.Progress{Since: p.since}
	for _, l := range p.layers {
		out.Layers++
		out.Bytes += l.received
		out.Total += l.total
		if l.done {
			out.Done++
		}
	}
	return out
}

// mostLayers is more than an image can have.
const mostLayers = 1000

// hear books one message. It reports whether that is news: an engine whose registry has fallen silent may go on saying that it waits.
func (p *pulling) hear(m message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.layers[m.ID]
	switch {
	case l != nil:
	case m.Status != "Pulling fs layer" && m.Status != "Already exists" || len(p.layers) == mostLayers:
		return true // about the whole
	default:
		l = &layer{}
		p.layers[m.ID] = l
	}
	was := *l
	switch m.Status {
	case "Downloading": // from the beginning again where it was cut off
		l.received, l.total = m.Progress.Current, max(m.Progress.Total, m.Progress.Current)
	case "Download complete", "Verifying Checksum":
		l.received = l.total
	case "Pull complete", "Already exists":
		l.received, l.done = l.total, true
	}
	l.status = m.Status
	return was != *l || m.Status == "Extracting"
}
