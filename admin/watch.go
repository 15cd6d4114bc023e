package admin

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Watch draws a balancer again and again, and remembers what it saw for the pictures of the last minutes. It is for one goroutine.
type Watch struct {
	past map[string][]cell // by pool, oldest first
}

// cell is the worst of some seconds.
type cell struct {
	at int64 // which seconds these are
	ms float64
}

const (
	cellTime = 10 * time.Second
	mostPast = 120 // cells
)

// View is what there is to draw, and on what.
type View struct {
	Status    Status
	Decisions Decisions
	Trouble   string // why what is shown is old; empty: it is not
	At        time.Time

	Width, Height int // characters; height 0: as high as it gets
	Color         bool
	ASCII         bool // the reader's terminal knows nothing else
}

// Observe remembers what a picture is made of.
func (w *Watch) Observe(st Status, at time.Time) {
	if w.past == nil {
		w.past = map[string][]cell{}
	}
	now := at.Unix() / int64(cellTime/time.Second)
	for _, p := range st.Pools {
		_, ms := judged(p)
		cells := w.past[p.Name]
		if n := len(cells); n == 0 || cells[n-1].at != now {
			cells = append(cells, cell{at: now})
		}
		last := &cells[len(cells)-1]
		last.ms = max(last.ms, ms)
		w.past[p.Name] = cells[max(0, len(cells)-mostPast):]
	}
}

// Frame is one picture: lines that end with a line break, at most Height of them and none wider than Width.
func (w *Watch) Frame(v View) string {
	s := newScreen(v.Width, v.Color)
	s.watchHead(v)
	s.line()
	w.pools(s, v)
	decisions := s.latest(v.Decisions, v.room(s)/2)
	if n := strings.Count(decisions, "\n"); n > 0 {
		n++ // and an empty line before
		s.allWorkers(v.Status, v.room(s)-n)
		s.line()
		s.b.WriteString(decisions)
	} else {
		s.allWorkers(v.Status, v.room(s))
	}
	text := s.b.String()
	if v.ASCII {
		text = ascii(text)
	}
	return cutLines(text, v.Height)
}

// endless stands for a height without end.
const endless = 1 << 20

// room is how many lines are left.
func (v View) room(s *screen) int {
	if v.Height == 0 {
		return endless
	}
	return max(0, v.Height-strings.Count(s.b.String(), "\n"))
}

func (s *screen) watchHead(v View) {
	st := v.Status
	if v.Trouble != "" {
		s.line(s.paint(red, clip(plain(v.Trouble), s.width)))
	}
	ready, color := "ready", green
	if !st.Ready {
		ready, color = "not ready: "+plain(st.NotReady), yellow
	}
	clock := showClock(v.At)
	name := "understudy " + plain(st.Instance)
	what := fmt.Sprintf(", driver %s, up %s, ", plain(st.Driver), showAge(st.UptimeS))
	left := s.width - len(clock) - 2 - utf8.RuneCountInString(name+what)
	ready = clip(ready, left)
	gap := strings.Repeat(" ", max(2, left-utf8.RuneCountInString(ready)+2))
	if left < 1 {
		s.line(clip(name+what, s.width))
	} else {
		s.line(s.paint(bold, name), what, s.paint(color, ready), gap, s.paint(faint, clock))
	}
	if words := st.Engine.words(); words != "" {
		s.line(s.paint(red, clip("engine "+words, s.width)))
	}
	s.line(clip("ports "+st.Ports.words(), s.width))
}

// latest are the last decisions, the newest first, in at most so many lines.
func (s *screen) latest(d Decisions, lines int) string {
	if s.width < 20 {
		return ""
	}
	const most = 5
	var b strings.Builder
	for i := len(d.Decisions) - 1; i >= max(0, len(d.Decisions)-most); i-- {
		one := d.Decisions[i]
		change := fmt.Sprintf("%d → %d", one.From, one.To)
		if one.From == one.To {
			change = fmt.Sprintf("stays %d", one.To)
		}
		because := plain(one.Reason)
		if one.Note != "" {
			because += "; " + plain(one.Note)
		}
		lead := showClock(one.At) + "  " + plain(one.Pool) + " "
		wrapped := strings.Split(wrap(lead+change+": "+because, s.width, "          "), "\n")
		if strings.Count(b.String(), "\n")+len(wrapped) > lines {
			break
		}
		for _, l := range wrapped {
			b.WriteString(clip(l, s.width) + "\n")
		}
	}
	return b.String()
}

// ascii replaces what a terminal without Unicode cannot show.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case r == '–':
			return '-'
		case r == '…':
			return '~'
		case r == '→':
			return '>'
		case r == '×':
			return 'x'
		}
		if i := strings.IndexRune(blocks, r); i >= 0 {
			return rune(asciiBlocks[i/len("█")])
		}
		return '?'
	}, text)
}

// cutLines keeps the first n lines; 0: all.
func cutLines(text string, n int) string {
	if n == 0 {
		return text
	}
	end := 0
	for range n {
		i := strings.IndexByte(text[end:], '\n')
		if i < 0 {
			return text
		}
		end += i + 1
	}
	return text[:end]
}
