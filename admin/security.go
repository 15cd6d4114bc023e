package admin

import (
	"fmt"
	"strings"
)

// Security is how far a pool's workers are fenced in, as the configuration in force says.
type Security struct {
	Level   string   `json:"level"`   // strict, standard; none: processes, which have no fence; empty: no worker is started here
	Relaxed []string `json:"relaxed"` // what the pool's own keys loosen beyond that, as the file says it: "read_only: false"
}

// fence says it in words. A level alone is nothing to worry about; what was loosened is.
func (s *screen) fence(x Security) {
	switch {
	case x.Level == "":
	case x.Level == "none":
		s.labelled(yellow, "security", "none: processes have no fence")
	case len(x.Relaxed) == 0:
		s.labelled("", "security", plain(x.Level))
	default:
		s.labelled(yellow, "security", fmt.Sprintf("%s, relaxed by %s", plain(x.Level), plain(strings.Join(x.Relaxed, ", "))))
	}
}
