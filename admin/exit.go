package admin

import (
	"fmt"
	"slices"
	"time"
)

// Exit is how a worker ended, or was given up, without having been asked to end.
type Exit struct {
	At     time.Time `json:"at"`
	Worker string    `json:"worker"`
	Reason string    `json:"reason"` // exit, oom, signal, removed, hung, identity, broken, never_ready
	Error  string    `json:"error"`  // in words
	Code   int       `json:"code"`   // its exit code; 0 also when it did not exit
	OOM    bool      `json:"oom"`    // the engine says that it ran out of memory
	Logs   []string  `json:"logs"`   // its last lines, oldest first, at most 20, with what cannot be printed spelled out
}

func (p *view) lastExit(pool string) *Exit {
	e, ok := p.Exits(pool)
	if !ok {
		return nil
	}
	return &Exit{
		At: e.At.UTC(), Worker: e.Worker, Reason: e.Reason, Error: plain(e.Error), Code: e.Code, OOM: e.OOM, Logs: plainList(e.Logs),
	}
}

// plainList makes what a worker printed safe to show wherever the JSON goes. It is never nil.
func plainList(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = plain(l)
	}
	return out
}

// exit writes how the last worker ended that was not asked to, with its last lines unless they are on the screen already.
func (s *screen) exit(p Pool) {
	e := p.LastExit
	if e == nil {
		return
	}
	s.labelled(yellow, "last exit", fmt.Sprintf("%s of %s at %s: %s", plain(e.Reason), plain(e.Worker), showClock(e.At), plain(e.Error)))
	if !slices.Equal(e.Logs, p.LastLogs) {
		s.printed(e.Logs)
	}
}
