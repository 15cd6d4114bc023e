package admin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// showMillis writes a latency for people; 0 is "not enough answers to tell".
func showMillis(ms float64) string {
	switch {
	case ms <= 0:
		return "–"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	default:
		return strconv.FormatFloat(ms/1000, 'f', 2, 64) + " s"
	}
}

// showAge writes seconds with the two units that matter.
func showAge(seconds float64) string {
	s := int(seconds)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}

// showShare writes a share as a percentage.
func showShare(s Share) string {
	switch {
	case !s.Known():
		return "?"
	case s >= 0.1:
		return fmt.Sprintf("%.0f%%", s*100)
	default:
		return fmt.Sprintf("%.1f%%", s*100)
	}
}

// showClock writes the time of day where the reader is.
func showClock(t time.Time) string { return t.Local().Format("15:04:05") }

// wrap breaks text between words so that no line has more than width characters; only a longer word does. The lines after the first
// begin with indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// pad fills s with spaces up to n characters, on its left when right is true.
func pad(s string, n int, right bool) string {
	space := strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
	if right {
		return space + s
	}
	return s + space
}
