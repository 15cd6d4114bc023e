package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The columns of the table of workers; the numbers among them stand on the right.
const columns = 7

func heads() [columns]string {
	return [...]string{"WORKER", "STATE", "PORT", "BUSY", "SERVED", "AGE", "START"}
}

func cells(w Worker) [columns]string {
	port, start := "", plain(w.Start)
	if w.Port > 0 {
		port = strconv.Itoa(w.Port)
	}
	if w.StartMS > 0 {
		start += ", " + showMillis(w.StartMS)
	}
	return [...]string{plain(w.ID), plain(stateWord(w)), port, strconv.Itoa(w.Inflight), strconv.FormatUint(w.Served, 10), showAge(w.AgeS), start}
}

// stateWord is the state as people are told it.
func stateWord(w Worker) string {
	if w.Asleep {
		return w.State + ", asleep"
	}
	return w.State
}

// workers writes a row for each worker. Long ids are shortened so that rows fit the width.
func (s *screen) workers(list []Worker) {
	s.workerRows(list, func(w Worker) {
		if w.Reason != "" {
			s.line(s.paint(faint, clip("    "+plain(w.Reason), s.width)))
		}
	})
}

// workerRows writes the head of the table and its rows, and has below write what follows each.
func (s *screen) workerRows(list []Worker, below func(Worker)) {
	if len(list) == 0 {
		return
	}
	rows := [][columns]string{heads()}
	for _, w := range list {
		rows = append(rows, cells(w))
	}
	widths := s.fit(rows)
	s.row(rows[0], widths, faint)
	for i, w := range list {
		s.row(rows[i+1], widths, stateColor(w.State))
		below(w)
	}
}

// fit finds how wide each column must be, and takes what is too much from the ids, then whole columns from the right: below 0 is left out.
func (s *screen) fit(rows [][columns]string) (widths [columns]int) {
	total := 0
	for i := range widths {
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r[i]))
		}
		total += 2 + widths[i]
	}
	const leastID = 6
	squeezed := max(min(leastID, widths[0]), widths[0]-max(0, total-s.width))
	total -= widths[0] - squeezed
	widths[0] = squeezed
	for i := columns - 1; i > 1 && total > s.width; i-- {
		total -= 2 + widths[i]
		widths[i] = -1
	}
	return widths
}

// row writes one row; a state has the colour, or the whole row when it is the head.
func (s *screen) row(row [columns]string, widths [columns]int, p paint) {
	var b strings.Builder
	for i, cell := range row {
		if widths[i] < 0 {
			continue
		}
		number := slices.Contains([]string{"PORT", "BUSY", "SERVED", "AGE"}, heads()[i])
		cell = pad(clip(cell, widths[i]), widths[i], number)
		if p == faint || i == 1 {
			cell = s.paint(p, cell)
		}
		b.WriteString("  " + cell)
	}
	s.line(b.String())
}

func stateColor(state string) paint {
	switch state {
	case "active":
		return green
	case "spare":
		return blue
	case "failed":
		return red
	default:
		return yellow
	}
}

// stateCounts says how many workers are in each state there is, such as "2 active, 1 spare".
func stateCounts(workers []Worker) string {
	var parts []string
	for _, state := range []string{"active", "spare", "starting", "draining", "failed"} {
		n := 0
		for _, w := range workers {
			if w.State == state {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
