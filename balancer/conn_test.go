package balancer

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAConnectionThatSpeaksBeforeItIsAskedIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		c := newWorkerConn(here)
		got := make(chan error, 1)
		read := func() {
			_, err := c.Read(make([]byte, 100))
			got <- err
		}
		go read()
		c.settle() // a request begins; nothing of it is written yet
		go func() { _, _ = io.WriteString(there, "HTTP/1.1 200 OK") }()
		if err := <-got; !errors.Is(err, errUnasked) {
			t.Errorf("got %v", err)
		}
		go read()
		go func() { _, _ = c.Write([]byte("GET /")) }()
		_, _ = io.ReadFull(there, make([]byte, 5))
		go func() { _, _ = io.WriteString(there, "HTTP/1.1 200 OK") }()
		if err := <-got; err != nil {
			t.Errorf("after the request: %v", err)
		}
	})
}

func TestARequestWaitsUntilTheReadingSideIsDoneWithTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		c := newWorkerConn(here)
		settled := make(chan struct{})
		go func() { c.settle(); close(settled) }()
		synctest.Wait()
		select {
		case <-settled:
			t.Error("it did not wait")
		default:
		}
		_ = c.Close()
		<-settled
		called := false
		c.onClose(func() { called = true })
		if !called {
			t.Error("a connection that is closed does not say so")
		}
	})
}

func TestWhatWasWrittenIsCounted(t *testing.T) {
	here, there := net.Pipe()
	c := newWorkerConn(here)
	go func() {
		_, _ = io.ReadFull(there, make([]byte, 3))
		_ = there.Close()
	}()
	if n, err := c.Write([]byte("12345")); n != 3 || err == nil || c.written() != 3 {
		t.Errorf("wrote %d, counted %d: %v", n, c.written(), err)
	}
	if _, err := c.Write([]byte("12345")); err == nil || c.written() != 3 {
		t.Errorf("counted %d: %v", c.written(), err)
	}
	_ = c.Close()
}

func TestABodyCanBeBegunAgainAndTheReaderBeforeIsOver(t *testing.T) {
	b := testBody("hello", 5)
	if err := b.begin(false); err != nil {
		t.Fatal(err)
	}
	a := &attempt{x: &exchange{body: b}}
	req := &http.Request{}
	if err := a.attachBody(req); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(req.Body, make([]byte, 3))
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := req.Body.Read(make([]byte, 1)); !errors.Is(err, errAbandoned) {
		t.Errorf("the first reader goes on: %v", err)
	}
	if text, err := io.ReadAll(again); err != nil || string(text) != "hello" {
		t.Errorf("got %q %v", text, err)
	}
	a.wire.close()
	if _, err := again.Read(make([]byte, 1)); !errors.Is(err, errAbandoned) {
		t.Errorf("the second is not the one that the attempt ends: %v", err)
	}
}

func TestABodyWhoseBeginningIsGoneCannotBeBegunAgain(t *testing.T) {
	b := testBody(strings.Repeat("x", 3*replayMax), -1)
	if err := b.begin(false); err != nil {
		t.Fatal(err)
	}
	defer b.close()
	a := &attempt{x: &exchange{body: b}}
	req := &http.Request{}
	if err := a.attachBody(req); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, req.Body); n != 3*replayMax || err != nil {
		t.Fatalf("read %d: %v", n, err)
	}
	if b.replayable() || b.newReader() != nil {
		t.Error("it can be begun again")
	}
	if _, err := req.GetBody(); err == nil {
		t.Error("net/http could begin it again")
	}
	if err := a.attachBody(req); err == nil {
		t.Error("an attempt could begin it again")
	}
}

func testBody(text string, known int64) *body {
	r, _ := http.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(text)))
	r.ContentLength = known
	x := &exchange{r: r, s: newSettings(testConfig()), rc: http.NewResponseController(nil), cancel: func(error) {}}
	return x.newBody()
}
