package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// riders are clients of workers that come and go: short requests on connections that are kept, long ones, and WebSockets. None of them
// may notice anything, but for sockets that outlast the time a worker has to drain.
type riders struct {
	url    string
	drain  time.Duration // of the pool
	client *http.Client
	stop   chan struct{}
	wg     sync.WaitGroup

	mu      sync.Mutex
	counts  map[string]int // by kind of rider, and "cut"
	faults  []string
	drained map[string]time.Time // by worker
}

const mostFaults = 10

func ride(t *testing.T, url string, drain time.Duration) *riders {
	t.Helper()
	r := &riders{
		url: url, drain: drain, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}, stop: make(chan struct{}),
		counts: map[string]int{}, drained: map[string]time.Time{},
	}
	for range 4 {
		r.again("short", func() error { return r.work(5) })
	}
	for range 2 {
		r.again("long", func() error { return r.work(200) })
	}
	r.again("chat", func() error { return r.talk(3) })
	for range 3 {
		r.again("socket", func() error { return r.talk(1 << 30) })
	}
	t.Cleanup(r.end)
	return r
}

// end waits until every rider has had its last answer.
func (r *riders) end() {
	r.mu.Lock()
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	r.mu.Unlock()
	r.wg.Wait()
	r.client.CloseIdleConnections()
}

// again lets one rider do the same over and over.
func (r *riders) again(kind string, do func() error) {
	r.wg.Go(func() {
		for {
			select {
			case <-r.stop:
				return
			default:
			}
			err := do()
			r.count(kind)
			if err != nil && r.fault(kind, err) {
				return
			}
		}
	})
}

func (r *riders) count(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[what]++
}

// fault keeps what went wrong. It reports whether that is enough.
func (r *riders) fault(kind string, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf("%s: %s: %v", time.Now().Format("15:04:05.000"), kind, err))
	return len(r.faults) >= mostFaults
}

// work is a POST, which is never sent twice once a worker has seen any of it.
func (r *riders) work(ms int) error {
	resp, err := r.client.Post(fmt.Sprintf("%s/work?ms=%d", r.url, ms), "text/plain", strings.NewReader("please"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(text) != "done" {
		return fmt.Errorf("%s from worker %q: %s %v", resp.Status, resp.Header.Get("X-Understudy-Worker"), text, err)
	}
	return nil
}

// talk says a word so many times, or until the riders stop, and hears it each time, and closes. Only a socket that lasts longer than its worker
// may drain is cut off, be it while it closes.
func (r *riders) talk(times int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, r.url+"/talk", nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	for range times {
		err := conn.Write(ctx, websocket.MessageText, []byte("word"))
		if err == nil {
			_, _, err = conn.Read(ctx)
		}
		if err != nil {
			return r.cut(resp.Header.Get("X-Understudy-Worker"), err)
		}
		select {
		case <-r.stop:
			times = 0
		case <-time.After(10 * time.Millisecond):
			continue
		}
		break
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		return r.cut(resp.Header.Get("X-Understudy-Worker"), err)
	}
	return nil
}

// A short talk takes longer than its worker may drain on a host that is busy enough, and can be cut at its every step.
func TestASocketIsJudgedTheSameWhereverItIsCut(t *testing.T) {
	const words = 3
	for name, heard := range map[string]int{"while it talks": words - 1, "while it closes": words} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Understudy-Worker", "w1")
				conn, err := websocket.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.CloseNow() // without a word
				for range heard {
					kind, text, err := conn.Read(r.Context())
					if err != nil || conn.Write(r.Context(), kind, text) != nil {
						t.Error("it ended before it was cut")
						return
					}
				}
			}))
			defer server.Close()
			r := &riders{url: server.URL, drain: time.Hour, counts: map[string]int{}, drained: map[string]time.Time{}, stop: make(chan struct{})}
			if err := r.talk(words); err == nil || r.counts["cut"] > 0 {
				t.Errorf("the worker was not drained: %v, %v", err, r.counts)
			}
			r.drains("w1")
			if err := r.talk(words); err == nil || r.counts["cut"] > 0 {
				t.Errorf("the worker had time left: %v, %v", err, r.counts)
			}
			r.drain = 0
			if err := r.talk(words); err != nil || r.counts["cut"] != 1 {
				t.Errorf("the worker had had its time: %v, %v", err, r.counts)
			}
		})
	}
}

// cut judges a socket that broke: right when its worker had had all its time to drain.
func (r *riders) cut(worker string, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.drained[worker]
	if after := time.Since(at); !ok || after < r.drain {
		return fmt.Errorf("on worker %q (drained: %v), %v after: %w", worker, ok, after, err)
	}
	r.counts["cut"]++
	return nil
}

func (r *riders) drains(worker string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained[worker] = time.Now()
}
