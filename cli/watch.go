package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"understudy/admin"
)

const (
	watchPeriod   = time.Second
	blockPeriod   = 2 * time.Second // where there is no screen
	watchPatience = 3 * time.Second // for one answer
	decisionsSeen = 8
)

// What a terminal is told. The other screen keeps what was there before; lines that are too wide are cut while it is resized.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	restOfLine  = "\x1b[K"
	restOfAll   = "\x1b[J"
)

// monitor is `status --watch`: it asks, and draws what it was told.
type monitor struct {
	session
	client admin.Client
	screen bool
	size   func() (width, height int)
	now    func() time.Time

	watch  admin.Watch
	view   admin.View
	silent time.Time // since when nobody answers; zero: somebody does
}

// watchStatus shows a balancer until it is interrupted. A balancer that never answered is an error; one that goes away is waited for.
func (s session) watchStatus(ctx context.Context, client admin.Client) error {
	m := &monitor{session: s, client: client, screen: isTerminal(s.out), now: time.Now}
	m.size = func() (int, int) { return screenSize(s.out) }
	if err := m.ask(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	resized := make(chan os.Signal, 1)
	period := blockPeriod
	if m.screen {
		period = watchPeriod
		signal.Notify(resized, syscall.SIGWINCH)
		defer signal.Stop(resized)
		if _, err := io.WriteString(s.out, enterScreen); err != nil {
			return err
		}
		defer io.WriteString(s.out, leaveScreen) // fails when the terminal is gone
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	return m.run(ctx, ticker.C, resized)
}

// run draws, and again whenever there is something new to show.
func (m *monitor) run(ctx context.Context, tick <-chan time.Time, resized <-chan os.Signal) error {
	for {
		if err := m.draw(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-resized:
		case <-tick:
			_ = m.ask(ctx) // what is wrong is shown
			if ctx.Err() != nil {
				return nil
			}
		}
	}
}

// ask gets what there is to show. When nobody answers, what was there last stays, and says so.
func (m *monitor) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	status, err := m.client.Status(ctx)
	var decisions admin.Decisions
	if err == nil {
		decisions, err = m.client.Decisions(ctx, decisionsSeen)
	}
	m.view.At = m.now()
	if err != nil {
		if m.silent.IsZero() {
			m.silent = m.view.At
		}
		m.view.Trouble = fmt.Sprintf("not reachable, trying again (%.0f s): %s", m.view.At.Sub(m.silent).Seconds(), reason(err))
		return err
	}
	m.silent, m.view.Trouble = time.Time{}, ""
	m.view.Status, m.view.Decisions = status, decisions
	m.watch.Observe(status, m.view.At)
	return nil
}

// reason is short where everybody knows it.
func reason(err error) string {
	if errors.Is(err, admin.ErrNoBalancer) {
		return "nothing listens there"
	}
	return err.Error()
}

// draw writes everything in one piece, over what was there: nothing flickers.
func (m *monitor) draw() error {
	v := m.view
	v.Width, v.Height = m.size()
	v.Color, v.ASCII = m.colour(m.out), !speaksUnicode(m.env)
	if !m.screen {
		v.Height = 0
		_, err := io.WriteString(m.out, m.watch.Frame(v)+"\n")
		return err
	}
	lines := strings.TrimSuffix(m.watch.Frame(v), "\n")
	_, err := io.WriteString(m.out, home+strings.ReplaceAll(lines, "\n", restOfLine+"\r\n")+restOfLine+restOfAll)
	return err
}

// screenSize is 80 by 0 when w is no terminal.
func screenSize(w io.Writer) (columns, rows int) {
	if file, ok := w.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 && rows > 0 {
			return columns, rows
		}
	}
	return 80, 0
}

// speaksUnicode tells what the locale says of the terminal. Where it says nothing there is most likely a terminal of today.
func speaksUnicode(env []string) bool {
	for _, key := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(env, key)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}
