package admin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	blocks      = "▁▂▃▄▅▆▇█"
	asciiBlocks = "_.-:=+*#"
	leastSpark  = 8
	mostSpark   = 60
)

// pools writes a line for each pool: its workers, what waits, what arrives, and its latency now and over the last minutes. What is wrong with
// it is a line below.
func (w *Watch) pools(s *screen, v View) {
	rows := [][]string{{"POOL", "ACTIVE", "SPARE", "MOVING", "QUEUE", "RATE", "LATENCY", "TARGET"}}
	for _, p := range v.Status.Pools {
		rows = append(rows, poolCells(p))
	}
	widths, used := poolWidths(rows, s.width)
	spark := min(mostSpark, s.width-used)
	if spark < leastSpark {
		spark = 0
	}
	head := ""
	if spark > 0 {
		head = clip("LAST "+strings.ToUpper(showSpan(time.Duration(spark)*cellTime)), spark)
	}
	s.line(s.paint(faint, clip(rowOf(rows[0], widths, nil)+head, s.width)))
	for i, p := range v.Status.Pools {
		row := rows[i+1]
		if used > s.width+2 { // too narrow for columns
			s.line(clip(strings.Join(row, " "), s.width))
		} else {
			s.line(rowOf(row, widths, func(latency string) string { return s.paint(latencyPaint(p), latency) }), w.spark(s, v, p, spark))
		}
		s.wrong(p)
	}
}

// poolWidths finds how wide the columns must be, with two spaces behind each. What is too much is taken from the names.
func poolWidths(rows [][]string, width int) (widths []int, used int) {
	widths = make([]int, len(rows[0]))
	for i := range widths {
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r[i]))
		}
		used += widths[i] + 2
	}
	const leastName = 8
	cut := min(max(0, used-width), max(0, widths[0]-leastName))
	widths[0] -= cut
	return widths, used - cut
}

// rowOf is one row, its latency painted.
func rowOf(row []string, widths []int, painted func(string) string) string {
	const latency = 6
	var b strings.Builder
	for c, text := range row {
		text = pad(clip(text, widths[c]), widths[c], c > 0)
		if c == latency && painted != nil {
			text = painted(text)
		}
		b.WriteString(text + "  ")
	}
	return b.String()
}

func poolCells(p Pool) []string {
	n := map[string]int{}
	for _, w := range p.Workers {
		n[w.State]++
	}
	moving := ""
	for _, m := range []struct{ state, sign string }{{"starting", "+"}, {"draining", "-"}, {"failed", "!"}} {
		if n[m.state] > 0 {
			moving += m.sign + strconv.Itoa(n[m.state])
		}
	}
	name, ms := judged(p)
	target := ""
	if p.TargetMS > 0 {
		target = showMillis(p.TargetMS)
	}
	return []string{
		plain(p.Name), strconv.Itoa(n["active"]), strconv.Itoa(n["spare"]), moving, strconv.Itoa(p.Queue), fmt.Sprintf("%.1f/s", p.Rate),
		name + " " + showMillis(ms), target,
	}
}

func latencyPaint(p Pool) paint {
	_, ms := judged(p)
	switch {
	case p.TargetMS <= 0 || ms <= 0:
		return ""
	case ms > p.TargetMS:
		return red
	default:
		return green
	}
}

// spark draws the last minutes, newest on the right. The highest block is twice the target or more, so half height is the target.
func (w *Watch) spark(s *screen, v View, p Pool, width int) string {
	cells := w.past[p.Name]
	now := v.At.Unix() / int64(cellTime/time.Second)
	full := 2 * p.TargetMS
	if full <= 0 {
		for _, c := range cells {
			full = max(full, c.ms)
		}
	}
	known := map[int64]float64{}
	for _, c := range cells {
		known[c.at] = c.ms
	}
	var b strings.Builder
	for i := now - int64(width) + 1; i <= now; i++ {
		ms := known[i]
		if ms <= 0 {
			b.WriteByte(' ')
			continue
		}
		level := min(7, int(ms/full*8))
		block := string([]rune(blocks)[level])
		if p.TargetMS > 0 && ms > p.TargetMS {
			block = s.paint(red, block)
		}
		b.WriteString(block)
	}
	return b.String()
}

// wrong says in one line why a pool has no workers, or what went wrong last.
func (s *screen) wrong(p Pool) {
	switch {
	case p.Unavailable != "":
		s.line(s.paint(red, clip("  no worker: "+plain(p.Unavailable), s.width)))
	case p.LastError != "":
		s.line(s.paint(yellow, clip(fmt.Sprintf("  last start failed, %d in a row: %s", p.StartFails, plain(p.LastError)), s.width)))
	}
}

// allWorkers is one table of all pools' workers, in at most so many lines.
func (s *screen) allWorkers(st Status, lines int) {
	var list []Worker
	for _, p := range st.Pools {
		for _, w := range p.Workers {
			if len(st.Pools) > 1 {
				w.ID = p.Name + "/" + w.ID
			}
			list = append(list, w)
		}
	}
	if len(list) == 0 || lines < 3 {
		return
	}
	s.line()
	lines--
	left := 0
	if most := lines - 1; len(list) > most { // a line is the head's
		left = len(list) - (most - 1)
		list = list[:most-1]
	}
	s.workerRows(list, func(Worker) {})
	if left > 0 {
		s.line(s.paint(faint, fmt.Sprintf("  … and %d more", left)))
	}
}

// showSpan writes how long a picture is.
func showSpan(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}
