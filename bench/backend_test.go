package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheBackendAnswersOneRequestAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		b := backend{answer: smallAnswer("b1"), began: time.Now()}
		go b.serve(theirs)
		defer ours.Close()
		go func() {
			_, _ = io.WriteString(ours, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\nPOST /echo HTTP/1.1\r\ncontent-length: 24\r\n\r\nTransfer-Encoding: x\r\n\r\nGET / HTTP/1.1\r\n\r\n")
		}()
		r := bufio.NewReader(ours)
		for range 3 {
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK || string(body) != `{"res":42,"duration":1,"id":"b1"}` {
				t.Errorf("status %d, %q, %v", resp.StatusCode, body, err)
			}
		}
	})
}

func TestTheBackendRefusesABodyWhoseLengthItIsNotTold(t *testing.T) {
	for _, head := range []string{"Transfer-Encoding: chunked", "Content-Length: many"} {
		_, err := readHead(bufio.NewReader(strings.NewReader("POST / HTTP/1.1\r\n" + head + "\r\n\r\n")))
		if !errors.Is(err, errNotUnderstood) {
			t.Errorf("%s: %v", head, err)
		}
	}
}

func TestTheBackendStallsAtTheBeginningOfEachPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		b := backend{answer: smallAnswer("b1"), began: time.Now(), stall: stalls{time.Second, 10 * time.Second}}
		go b.serve(theirs)
		defer ours.Close()
		r := bufio.NewReader(ours)
		for _, want := range []time.Duration{time.Second, 0} {
			began := time.Now()
			if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			if took := time.Since(began); took != want {
				t.Errorf("answered after %v, want %v", took, want)
			}
		}
	})
}
