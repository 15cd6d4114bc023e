package admin

import (
	"fmt"
	"io"
	"strings"
)

// RenderDecisions writes decisions for people, oldest first: what changed, why, what limited it, and what it rested on.
func RenderDecisions(w io.Writer, list Decisions, width int, color bool) error {
	s := newScreen(width, color)
	if len(list.Decisions) == 0 {
		s.line("no decision yet")
	}
	for i, d := range list.Decisions {
		if i > 0 {
			s.line()
		}
		s.decision(d)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

func (s *screen) decision(d Decision) {
	change := fmt.Sprintf("%d -> %s", d.From, workers(d.To))
	if d.From == d.To {
		change = "stays at " + workers(d.To)
	}
	s.line(
		s.paint(faint, d.At.Local().Format("15:04:05.000")), "  ", s.paint(bold, plain(d.Pool)), "  ",
		s.paint(directionColor(d.Direction), change), s.paint(faint, "  rule "+plain(d.Term)),
	)
	s.labelled("", "because", plain(d.Reason))
	if d.Clamp != "" {
		s.labelled(yellow, "limited by", plain(d.Clamp))
	}
	s.labelled("", "formula", formula(d))
	s.labelled("", "measured", measured(d.Inputs))
	s.labelled("", "result", result(d.Wanted))
	if d.Note != "" {
		s.labelled(yellow, "note", plain(d.Note))
	}
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}

func directionColor(direction string) paint {
	switch direction {
	case "up":
		return green
	case "down":
		return blue
	default:
		return ""
	}
}

// formula shows the load and what was predicted for one worker less, as many as chosen, and one more.
func formula(d Decision) string {
	text := fmt.Sprintf("load %.2f erlang, mean service %s", d.LoadErlang, showMillis(d.MeanServiceMS))
	var parts []string
	for i, share := range d.Misses {
		if n := d.To - 1 + i; share.Known() && n >= 0 {
			parts = append(parts, fmt.Sprintf("%d: %s", n, showShare(share)))
		}
	}
	if len(parts) > 0 {
		text += "; would miss by waiting with " + strings.Join(parts, ", ")
	}
	return text
}

func measured(in Inputs) string {
	text := fmt.Sprintf("workers: %d active (%d idle), %d spare, %d starting; requests: %d in service, %d waiting",
		in.Active, in.Idle, in.Spare, in.Starting, in.Busy, in.Queue)
	if in.Queue > 0 && in.OldestQueuedMS > 0 {
		text += " (the oldest " + showMillis(in.OldestQueuedMS) + ")"
	}
	if in.Others > 0 {
		text += fmt.Sprintf("; slots of workers that are not ours: %d", in.Others)
	}
	if in.Answers+in.Failed > 0 {
		text += fmt.Sprintf("; last 10 s: %d answered, %d over the target, %d of them by waiting, %d failed", in.Answers, in.Over, in.Missed, in.Failed)
	}
	if in.StartMS > 0 {
		text += "; a start takes " + showMillis(in.StartMS)
	}
	if in.HostCPU.Known() {
		text += "; host CPU " + showShare(in.HostCPU)
	}
	return text
}

func result(w Wanted) string {
	text := fmt.Sprintf("%d in rotation, %d spare", w.Active, w.Spare)
	if w.Starts > 0 {
		text += fmt.Sprintf(", %d to start", w.Starts)
	}
	if w.Remove > 0 {
		text += fmt.Sprintf(", %d to remove", w.Remove)
	}
	if w.BackoffMS > 0 {
		text += ", no start for " + showMillis(w.BackoffMS)
	}
	if w.WaitMS > 0 {
		text += ", nobody waits longer than " + showMillis(w.WaitMS)
	}
	return text
}
