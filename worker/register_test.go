package worker

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// errAccess is what the kernel says to who may not listen on a port.
type errAccess struct{}

func (errAccess) Error() string { return "permission denied" }
func (errAccess) Unwrap() error { return syscall.EACCES }

func TestAWorkerRegistersWithBackOffUntilItIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &planner{statuses: []int{0, 0, 500, 503, 0, 0, 0, 404, 0, 200}}
		var log bytes.Buffer
		w := newWorker(t, Options{Register: "http://p:3000", Log: slog.New(slog.NewTextHandler(&log, nil))})
		w.transport = p
		_, stop := start(t, w)
		<-time.After(time.Minute)
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		calls := p.seen()
		var after []string
		for _, c := range calls[:11] {
			after = append(after, c.after.String())
		}
		// 100 ms doubled up to 5 s, then each 10 s.
		want := "0s 100ms 300ms 700ms 1.5s 3.1s 6.3s 11.3s 16.3s 21.3s 31.3s"
		if got := strings.Join(after, " "); got != want {
			t.Errorf("registered after %s, want %s", got, want)
		}
		if n := strings.Count(log.String(), "msg=registered"); n != 1 {
			t.Errorf("the log says registered %d times, want once:\n%s", n, log.String())
		}
		// Refused twice, 500, 503, refused three times, 404, refused: a cause that stays is told once.
		if n := strings.Count(log.String(), "cannot register"); n != 6 {
			t.Errorf("the log says so %d times, want 6:\n%s", n, log.String())
		}
		if !strings.Contains(log.String(), "500") && !strings.Contains(log.String(), "Internal Server Error") {
			t.Errorf("the log does not tell the cause:\n%s", log.String())
		}
		<-time.After(time.Minute)
		if n := len(p.seen()); n != len(calls) {
			t.Errorf("a stopped worker registered %d times more", n-len(calls))
		}
	})
}

func TestAPlannerThatWasRestartedIsRegisteredWithAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &planner{statuses: []int{200, 200, 0, 0, 200, 0, 200}}
		var log bytes.Buffer
		w := newWorker(t, Options{Register: "http://p:3000", Log: slog.New(slog.NewTextHandler(&log, nil))})
		w.transport = p
		_, stop := start(t, w)
		<-time.After(45 * time.Second)
		if err := stop(); err != nil {
			t.Error(err)
		}
		var after []string
		for _, c := range p.seen() {
			after = append(after, c.after.String())
		}
		// The back-off starts anew after a success.
		if got := strings.Join(after, " "); got != "0s 10s 20s 20.1s 20.3s 30.3s 30.4s 40.4s" {
			t.Errorf("registered after %s", got)
		}
		if n := strings.Count(log.String(), "msg=registered"); n != 3 {
			t.Errorf("the log says registered %d times, want three times:\n%s", n, log.String())
		}
	})
}

func TestWhatIsSentIsWhatWasSet(t *testing.T) {
	for _, c := range []struct {
		name       string
		opts       Options
		line, body string
	}{
		{"as the original does", Options{Register: "http://p:3000"},
			"POST http://p:3000/register", `{"url":"http://localhost:8080","id":"w1"}`},
		{"a specialised worker of the original", Options{Register: "http://p:3000/", Without: []string{"mult"}},
			"POST http://p:3000/register", `{"url":"http://localhost:8080","id":"w1"}`},
		{"everything", Options{Register: "http://p:3000/base/register", Address: "http://me:1", Capabilities: []string{"mult", "add", "mult"}, Without: []string{"add"}, Concurrency: 2},
			"POST http://p:3000/base/register", `{"url":"http://me:1","id":"w1","capabilities":["mult"],"concurrency":2}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &planner{statuses: []int{http.StatusOK}}
				w := newWorker(t, c.opts)
				w.transport = p
				_, stop := start(t, w)
				synctest.Wait()
				if err := stop(); err != nil {
					t.Error(err)
				}
				calls := p.seen()
				if len(calls) != 1 || calls[0].line != c.line || calls[0].body != c.body || calls[0].contentType != "application/json" {
					t.Errorf("sent %+v, want %s %s", calls, c.line, c.body)
				}
			})
		})
	}
}

func TestAWorkerThatIsToldNoPlannerRegistersNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &planner{statuses: []int{http.StatusOK}}
		w := newWorker(t, Options{})
		w.transport = p
		_, stop := start(t, w)
		<-time.After(time.Minute)
		if err := stop(); err != nil {
			t.Error(err)
		}
		if calls := p.seen(); len(calls) != 0 {
			t.Errorf("sent %+v", calls)
		}
	})
}

// hangingPlanner never answers, and takes a second to notice that nobody waits any more.
type hangingPlanner struct{}

func (hangingPlanner) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	<-time.After(time.Second)
	return nil, r.Context().Err()
}

func TestAPlannerThatHangsDoesNotKeepTheWorkerFromStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorker(t, Options{Register: "http://p:3000", Log: slog.New(slog.NewTextHandler(&log, nil))})
		w.transport = hangingPlanner{}
		_, stop := start(t, w)
		synctest.Wait()
		began := time.Now()
		if err := stop(); err != nil || time.Since(began) != time.Second {
			t.Errorf("stopped after %s, %v, want the second the call needs to end", time.Since(began), err)
		}
		if strings.Contains(log.String(), "cannot register") {
			t.Errorf("a call given up at the end is logged as a failure:\n%s", log.String())
		}
		began = time.Now()
		err := w.register(t.Context(), w.registration(newMemory().Addr()))
		if took := time.Since(began); err == nil || took != registerTimeout+time.Second {
			t.Errorf("one call ended after %s, %v", took, err)
		}
	})
}

func TestTheAddressGivenIsOneThatCanBeReached(t *testing.T) {
	for _, c := range []struct {
		address net.Addr
		want    string
	}{
		{&net.TCPAddr{IP: net.IPv4zero, Port: 8080}, "localhost:8080"},
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}, "localhost:8080"},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, "127.0.0.1:9"},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 9}, "[::1]:9"},
		{&net.UnixAddr{Name: "w.sock", Net: "unix"}, "w.sock"},
	} {
		if got := reachable(c.address); got != c.want {
			t.Errorf("%v is reached at %s, want %s", c.address, got, c.want)
		}
	}
	if got := reachable(&net.TCPAddr{Port: 1}); got != "localhost:1" {
		t.Errorf("an address without an IP is reached at %s", got)
	}
}
