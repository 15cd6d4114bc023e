package client

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"
)

// Cause says why a request counts as an error. The set is small and stable: people script against it.
type Cause string

const (
	OK          Cause = ""                // answered with 2xx, and rightly where the client knows what is right
	Connect     Cause = "connect"         // no connection could be made: refused, no route, no such host
	Timeout     Cause = "timeout"         // no whole answer within the timeout
	Reset       Cause = "reset"           // the connection ended before the answer did
	Protocol    Cause = "protocol"        // what came back is not HTTP
	Status      Cause = "status"          // a whole answer, but not 2xx
	WrongResult Cause = "wrong-result"    // 2xx, but the result of the sum is wrong
	Overload    Cause = "client-overload" // not sent: too many requests were in flight already
	Interrupted Cause = "interrupted"     // given up because the run was told to end
)

// Causes lists every cause of an error.
func Causes() []Cause {
	return []Cause{Connect, Timeout, Reset, Protocol, Status, WrongResult, Overload, Interrupted}
}

// errInterrupted ends requests that are still in flight after the grace.
var errInterrupted = errors.New("the run was told to end")

// classify turns an error of a sender into a cause. ctx is the one the request was made with.
func classify(ctx context.Context, err error) Cause {
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted):
		return Interrupted
	case errors.As(err, new(lateError)), errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return Timeout // the request's own, even where it ran out while connecting
	case errors.As(err, &op) && op.Op == "dial":
		return Connect
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case brokenOff(err):
		return Reset
	}
	return Protocol
}

func brokenOff(err error) bool {
	for _, known := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return strings.Contains(err.Error(), "server closed idle connection") // net/http keeps this one to itself
}

// plain tells whether s is made of printable ASCII alone.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// printable is s without what could move a cursor or end a line, cut to at most n bytes: it came from somebody else.
func printable(s string, n int) string {
	if len(s) <= n && plain(s) {
		return strings.TrimSpace(s)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "..."
	}
	return strings.TrimSpace(s)
}

// inWords is err as the report shows it. That a connection ended where an answer should have begun is most often meant.
func inWords(err error) string {
	if errors.Is(err, io.EOF) {
		return "the connection was closed before a whole answer came"
	}
	return err.Error()
}
