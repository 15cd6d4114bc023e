package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestErrorsAreClassified(t *testing.T) {
	running := t.Context()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	ended, end := context.WithCancelCause(t.Context())
	end(errInterrupted)
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: err} }
	read := func(err error) error { return &net.OpError{Op: "read", Err: os.NewSyscallError("read", err)} }
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want Cause
	}{
		{"refused", running, dial(syscall.ECONNREFUSED), Connect},
		{"reset while connecting", running, dial(syscall.ECONNRESET), Connect},
		{"no such host", running, dial(&net.DNSError{Err: "no such host"}), Connect},
		{"out of files", running, dial(syscall.EMFILE), Connect},
		{"own timeout", late, context.DeadlineExceeded, Timeout},
		{"own timeout while connecting", late, dial(context.DeadlineExceeded), Timeout},
		{"a timeout of the system", running, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, Timeout},
		{"reset", running, read(syscall.ECONNRESET), Reset},
		{"broken pipe", running, fmt.Errorf("write: %w", syscall.EPIPE), Reset},
		{"no answer", running, io.EOF, Reset},
		{"half an answer", running, io.ErrUnexpectedEOF, Reset},
		{"closed while idle", running, errors.New("http: server closed idle connection"), Reset},
		{"gibberish", running, errors.New(`malformed HTTP response "hello"`), Protocol},
		{"told to end", ended, context.Canceled, Interrupted},
	} {
		if got := classify(c.ctx, c.err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWhatOthersSendIsMadePrintable(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\x1b[31mc":        "a  b [31mc",
		"  é\xff ":               "é?",
		strings.Repeat("é", 200): strings.Repeat("é", 50) + "...",
	} {
		if got := printable(in, 100); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
	if got := printable(strings.Repeat("é", 200), 101); got != strings.Repeat("é", 50)+"..." {
		t.Errorf("a character was cut in half: %q", got)
	}
}

func TestTheReasonOfADialErrorIsItsInnermostPart(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connection refused"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x"}}, "no such host"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "no answer in time"},
		{fmt.Errorf("dialling: %w", context.DeadlineExceeded), "no answer in time"},
		{errors.New("no idea"), "no idea"},
	} {
		if got := reason(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestAConnectionThatWasClosedIsNamedAsThat(t *testing.T) {
	report, err := Run(t.Context(), Options{Target: raw(t, ""), N: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.ErrorSamples[Reset]; got != "the connection was closed before a whole answer came" {
		t.Errorf("%q", got)
	}
}
