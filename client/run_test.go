package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnUnreachableTargetIsOneSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.Close()
		report, err := Run(t.Context(), Options{Target: "http://here:1", Dial: m.dial}, nil)
		if report != nil || !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "http://here:1 (connection refused)") {
			t.Errorf("%v, %v", report, err)
		}
		silent := newMemory() // nobody accepts
		start := time.Now()
		_, err = Run(t.Context(), Options{Timeout: 3 * time.Second, Dial: silent.dial}, nil)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "no answer in time") || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		unknown := func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "here", IsNotFound: true}}
		}
		if _, err = Run(t.Context(), Options{Target: "http://here:1", Dial: unknown}, nil); !errors.Is(err, ErrUnreachable) ||
			!strings.Contains(err.Error(), "http://here:1 (no such host)") {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err = Run(ctx, Options{Dial: silent.dial}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func TestNothingIsSentWhenTheOptionsOrTheTraceAreWrong(t *testing.T) {
	for _, o := range []Options{{N: -1}, {Trace: "/nowhere/x.csv"}, {Trace: write(t, "t\n2\n1\n")}} {
		o.Dial = mustNotDial(t)
		if report, err := Run(t.Context(), o, nil); err == nil || report != nil {
			t.Errorf("%+v: %v, %v", o, report, err)
		}
	}
}
