//go:build long

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// The figure: 10 000 connections at 1 000 a second, the balancer replaced twice meanwhile: none fails, none of the workers is another, and a
// WebSocket goes on.
func TestTenThousandConnectionsWhileTheBalancerIsReplacedLoseNothing(t *testing.T) {
	requireDocker(t)
	echo := httptest.NewServer(http.HandlerFunc(echoSocket))
	defer echo.Close()
	p := start(t, fmt.Sprintf(`
pools:
  - name: general
    capabilities: [mult]
    concurrency: 50
    ramp: 0s
    env: [DURATION=1ms..5ms]
    workers: {min: 2, max: 4, spare: 1}
    queue: {length: 1000, wait: 30s}
  - name: echo
    capabilities: [echo]
    members: [%s]
    concurrency: 10
`, echo.URL), "--driver", "docker")
	await(t, "all workers are ready", func() bool { return len(p.workers("general", "active", "spare")) == 3 })
	before := containers(t, p.instance)
	socket := p.openSocket()
	if err := socket.ping("before"); err != nil {
		t.Fatal(err)
	}

	load := p.connectAndPost(10_000, time.Millisecond)
	await(t, "the load is under way", func() bool { return load.done.Load() > 2_000 })
	p.replace()
	if err := socket.ping("after"); err != nil {
		t.Errorf("the WebSocket did not survive: %v", err)
	}
	socket.close()
	first := p.descriptors()
	p.replace() // waits until the first one has ended
	load.wait()
	t.Logf("%d requests in %s, %d connects failed, %d requests failed, %d answered after the first hand-over", load.done.Load(), load.took, load.connects.Load(), load.failed.Load(), load.done.Load()-2_000)
	if load.connects.Load() > 0 || load.failed.Load() > 0 {
		t.Errorf("%d connects and %d requests failed; one of them: %v", load.connects.Load(), load.failed.Load(), load.sample.Load())
	}
	if after := containers(t, p.instance); !slices.Equal(sorted(before), sorted(after)) {
		t.Errorf("the containers were %v and are %v", before, after)
	}
	p.awaitReady()
	await(t, "the second old process has ended", func() bool { return strings.Count(p.output.String(), "the old process has ended") == 2 })
	await(t, "no descriptor is left over", func() bool { return p.descriptors() <= first+8 }) // connections to workers come and go
	p.end()
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("containers left: %v", left)
	}
}

func echoSocket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it was a probe
	}
	defer c.CloseNow()
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

type socket struct{ *websocket.Conn }

func (p *process) openSocket() socket {
	p.t.Helper()
	var c *websocket.Conn
	await(p.t, "the member is there", func() bool {
		var err error
		c, _, err = websocket.Dial(p.t.Context(), strings.Replace(p.url, "http://", "ws://", 1)+"/echo", nil)
		return err == nil
	})
	return socket{c}
}

func (s socket) ping(word string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Write(ctx, websocket.MessageText, []byte(word)); err != nil {
		return err
	}
	_, back, err := s.Read(ctx)
	if err == nil && string(back) != word {
		err = fmt.Errorf("said %q, heard %q", word, back)
	}
	return err
}

func (s socket) close() { _ = s.Close(websocket.StatusNormalClosure, "") }

// mostAtOnce is how many requests a load has under way. On a host that keeps up there are some ten; one that does not gets them later rather than
// more than the workers and their queue take, which proves nothing about a hand-over.
const mostAtOnce = 256

// load is requests each on a connection of its own.
type load struct {
	took                   time.Duration // known after wait
	done, connects, failed atomic.Int64
	sample                 atomic.Value
	all                    sync.WaitGroup
}

func (l *load) wait() { l.all.Wait() }

// connectAndPost sends n requests, one each gap or later when too many of those before are under way.
func (p *process) connectAndPost(n int, gap time.Duration) *load {
	l := &load{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	began := time.Now()
	l.all.Go(func() {
		var sent sync.WaitGroup
		places := make(chan struct{}, mostAtOnce)
		for i := range n {
			timer := time.NewTimer(time.Until(began.Add(time.Duration(i) * gap)))
			<-timer.C
			places <- struct{}{}
			sent.Go(func() { defer func() { <-places }(); l.send(client, p.url) })
		}
		sent.Wait()
		l.took = time.Since(began)
	})
	return l
}

func (l *load) send(client *http.Client, url string) {
	defer l.done.Add(1)
	resp, err := client.Post(url+"/mult", "application/json", strings.NewReader(`{"a":6,"b":7}`))
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		l.connects.Add(1)
	case err == nil:
		body, broken := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err = broken; err == nil && (resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "42")) {
			err = fmt.Errorf("%s: %s", resp.Status, body)
		}
		if err != nil {
			l.failed.Add(1)
		}
	default:
		l.failed.Add(1)
	}
	if err != nil {
		l.sample.Store(err.Error())
	}
}

// descriptors counts what the balancer has open.
func (p *process) descriptors() int {
	p.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid()))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}
