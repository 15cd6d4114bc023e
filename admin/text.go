package admin

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// narrowest is the width below which nothing is squeezed any further.
const narrowest = 40

// screen collects lines for a terminal of a given width. Everything that others named goes through plain before it gets here.
type screen struct {
	b     strings.Builder
	width int
	color bool
}

func newScreen(width int, color bool) *screen {
	return &screen{width: max(width, narrowest), color: color}
}

type paint string

const (
	bold   paint = "1"
	faint  paint = "2"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	blue   paint = "34"
)

func (s *screen) paint(p paint, text string) string {
	if !s.color || p == "" || text == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

func (s *screen) line(parts ...string) {
	s.b.WriteString(strings.TrimRight(strings.Join(parts, ""), " ") + "\n")
}

// labelled writes "  name  text" with the text wrapped beside the name.
func (s *screen) labelled(p paint, name, text string) {
	const column = 14
	for i, line := range strings.Split(wrap(text, s.width-column, ""), "\n") {
		if i > 0 {
			name = ""
		}
		s.line("  ", s.paint(faint, pad(name, column-2, false)), s.paint(p, line))
	}
}

// RenderStatus writes a status for people, readable from 40 columns on.
func RenderStatus(w io.Writer, st Status, width int, color bool) error {
	s := newScreen(width, color)
	s.head(st)
	for _, p := range st.Pools {
		s.line()
		s.pool(p)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

func (s *screen) head(st Status) {
	ready := s.paint(green, "ready")
	if !st.Ready {
		ready = s.paint(yellow, "not ready")
	}
	s.line(s.paint(bold, "understudy "+plain(st.Instance)), fmt.Sprintf(", driver %s, up %s, ", plain(st.Driver), showAge(st.UptimeS)), ready)
	if !st.Ready {
		s.labelled(yellow, "waiting", plain(st.NotReady))
	}
	if words := st.Engine.words(); words != "" {
		s.labelled(red, "engine", words)
	}
	s.labelled("", "ports", st.Ports.words())
	for _, t := range st.Ports.Troubles {
		s.labelled(yellow, "", fmt.Sprintf("%d until %s: %s", t.Port, showClock(t.Until), plain(t.Reason)))
	}
}

// words counts the ports in a line.
func (p Ports) words() string {
	if p.To < p.From {
		return "none: workers are reached at the addresses of their containers"
	}
	words := fmt.Sprintf("%d-%d: %d in use, %d free", p.From, p.To, p.Leased, p.Free)
	if p.Quarantined > 0 {
		words += fmt.Sprintf(", %d set aside", p.Quarantined)
	}
	return words
}

func (s *screen) pool(p Pool) {
	s.line(s.paint(bold, plain(p.Name)), s.paint(faint, "  "+clip(plain(strings.Join(p.Capabilities, ", ")), s.width-2-utf8.RuneCountInString(p.Name))))
	if p.Unavailable != "" {
		s.labelled(red, "no worker", plain(p.Unavailable))
	}
	s.trouble(p)
	s.exit(p)
	s.rollout(p.Rollout)
	s.latency(p)
	s.labelled("", "load", fmt.Sprintf("%.1f requests/s, %d in service, %d waiting", p.Rate, p.InFlight, p.Queue))
	wanted := fmt.Sprintf("%s; %d wanted", stateCounts(p.Workers), p.Desired)
	if p.Max > 0 {
		wanted += fmt.Sprintf(" of at most %d", p.Max)
	}
	s.labelled("", "workers", wanted)
	if p.Reason != "" {
		s.labelled("", "because", plain(p.Reason))
	}
	s.image(p.Image, p.Pull)
	s.fence(p.Security)
	s.start(p.Workers)
	s.workers(p.Workers)
}

// start tells what the parts of the latest start took.
func (s *screen) start(list []Worker) {
	var latest Worker
	for _, w := range list {
		if w.StartPhases != (Phases{}) && (latest.ID == "" || w.AgeS < latest.AgeS) {
			latest = w
		}
	}
	if p := latest.StartPhases; latest.ID != "" {
		s.labelled("", "start", fmt.Sprintf("%s took %s: create %s, start %s, ready %s", plain(latest.ID), showMillis(latest.StartMS),
			showMillis(p.Create), showMillis(p.Start), showMillis(p.Ready)))
	}
}

func (s *screen) trouble(p Pool) {
	if p.LastError == "" || p.LastError == p.Unavailable && len(p.LastLogs) == 0 {
		return
	}
	s.labelled(yellow, "last start", fmt.Sprintf("failed, %d in a row: %s", p.StartFails, plain(p.LastError)))
	s.printed(p.LastLogs)
}

// printed shows what a worker printed.
func (s *screen) printed(lines []string) {
	for _, l := range lines {
		s.line(s.paint(faint, clip("    | "+plain(l), s.width)))
	}
}

func (s *screen) latency(p Pool) {
	text := fmt.Sprintf("p50 %s, p95 %s, p99 %s", showMillis(p.P50MS), showMillis(p.P95MS), showMillis(p.P99MS))
	color := paint("")
	if p.TargetMS > 0 {
		name, ms := judged(p)
		verdict := "too few answers to judge"
		switch {
		case ms > p.TargetMS:
			verdict, color = name+" is over it", red
		case ms > 0:
			verdict, color = name+" is within it", green
		}
		text += fmt.Sprintf("; target %s: %s", showMillis(p.TargetMS), verdict)
	}
	s.labelled(color, "latency", text)
}

// judged is the percentile the target is held against: the least of those measured that covers the share the pool promised.
func judged(p Pool) (name string, ms float64) {
	switch {
	case p.Percentile > 95:
		return "p99", p.P99MS
	case p.Percentile > 50 || p.Percentile == 0:
		return "p95", p.P95MS
	default:
		return "p50", p.P50MS
	}
}
