package worker

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// start serves in memory until stop is called, which returns what Serve did.
func start(t *testing.T, w *Worker) (at *memory, stop func() error) {
	t.Helper()
	at = newMemory()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(ctx, at) }()
	return at, func() error { cancel(); return <-ended }
}

// ask sends one request over a connection and returns the answer.
func ask(ctx context.Context, client *http.Client, method, path, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://worker"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func wantReply(t *testing.T, client *http.Client, method, path, body, want string) {
	t.Helper()
	status, text, err := ask(t.Context(), client, method, path, body)
	if err != nil || status != http.StatusOK || text != want {
		t.Errorf("%s %s got %d %s, %v, want %s", method, path, status, text, err, want)
	}
}

func TestAClientThatHangsUpFreesTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, stop := start(t, newWorker(t, Options{}))
		ctx, hangUp := context.WithCancel(t.Context())
		given := make(chan error, 1)
		go func() {
			_, _, err := ask(ctx, at.client(), http.MethodPost, "/sleep", `{"ms":60000}`)
			given <- err
		}()
		synctest.Wait()
		wantReply(t, at.client(), http.MethodGet, "/", "", `{"type":"sleep","task":{"ms":60000},"id":"w1"}`)
		began := time.Now()
		hangUp()
		if err := <-given; err == nil {
			t.Error("the client that hung up got an answer")
		}
		synctest.Wait()
		wantReply(t, at.client(), http.MethodGet, "/", "", "ready to work w1")
		wantReply(t, at.client(), http.MethodHead, "/", "", "")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the worker was free after %s", waited)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAWorkerToldToStopEndsWhatIsRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, stop := start(t, newWorker(t, Options{}))
		answer := make(chan string, 1)
		go func() {
			_, text, _ := ask(t.Context(), at.client(), http.MethodPost, "/sleep", `{"ms":9000}`)
			answer <- text
		}()
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if text := <-answer; text != `{"duration":9000,"id":"w1"}` {
			t.Errorf("the running task got %s", text)
		}
		if _, _, err := ask(t.Context(), at.client(), http.MethodGet, "/", ""); err == nil {
			t.Error("a stopped worker answers")
		}
	})
}

func TestATaskThatOutlastsTheGraceIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, stop := start(t, newWorker(t, Options{Grace: 2 * time.Second}))
		failed := make(chan error, 1)
		go func() {
			_, _, err := ask(t.Context(), at.client(), http.MethodPost, "/sleep", `{"ms":60000}`)
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := <-failed; err == nil {
			t.Error("a task that was cut off was answered")
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("stopping took %s, want the grace of 2s", took)
		}
	})
}

func TestAListenerThatBreaksEndsTheWorkerWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &planner{statuses: []int{200}}
		w := newWorker(t, Options{Register: "http://p:3000"})
		w.transport = p
		at := newMemory()
		ended := make(chan error, 1)
		go func() { ended <- w.Serve(t.Context(), at) }()
		synctest.Wait()
		_ = at.Close()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "stopped serving") {
			t.Errorf("got %v", err)
		}
		<-time.After(time.Minute)
		if n := len(p.seen()); n != 1 {
			t.Errorf("a worker that ended registered %d times, want once, before its end", n)
		}
	})
}

func TestAnAddressThatCannotBeListenedOnIsOneSentence(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "because another program has that port: choose another with --listen",
		"192.0.2.1:8080":      "give an address of this machine", // of a network that is for documentation only
	} {
		err := Run(t.Context(), Options{Listen: address})
		if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if got := listenError(":80", &net.OpError{Op: "listen", Err: errAccess{}}).Error(); !strings.Contains(got, "from 1024 up") {
		t.Errorf("without rights: %s", got)
	}
}

// The one test over real sockets: a worker that is only told where to register is found, used and stopped.
func TestAWorkerThatRegisteredIsReachedAtTheURLItGave(t *testing.T) {
	registered := make(chan string, 1)
	planner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ URL, ID string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/register" || in.ID == "" {
			t.Errorf("%s %s: %v %+v", r.Method, r.URL, err, in)
		}
		_, _ = io.WriteString(w, "ok")
		registered <- in.URL
	}))
	defer planner.Close()

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Listen: "127.0.0.1:0", Register: planner.URL, Duration: &Range{}, Identity: "n1"})
	}()
	url := <-registered
	response, err := http.PostForm(url+"/mult", map[string][]string{"a": {"6"}, "b": {"7"}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.HasPrefix(string(text), `{"res":42,"duration":0,"id":"`) || response.Header.Get("X-Understudy-Identity") != "n1" {
		t.Errorf("got %s, %v, %v", text, response.Header, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}
