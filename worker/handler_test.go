package worker

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const formType = "application/x-www-form-urlencoded"

func TestATaskIsDoneAndAnsweredAsTheProtocolSays(t *testing.T) {
	for _, c := range []struct{ name, path, contentType, body, want string }{
		{"multiplies JSON", "/mult", "application/json", `{"a": 6, "b": 7}`, `{"res":42,"duration":100,"id":"w1"}`},
		{"adds JSON", "/add", "application/json", `{"a": 6, "b": 7}`, `{"res":13,"duration":100,"id":"w1"}`},
		{"multiplies a form", "/mult", formType, `a=6&b=7`, `{"res":42,"duration":100,"id":"w1"}`},
		{"adds a form in another charset parameter", "/add", formType + "; charset=utf-8", `a=6&b=7`, `{"res":13,"duration":100,"id":"w1"}`},
		{"takes JSON that curl calls a form", "/mult", formType, `{"a":6,"b":7}`, `{"res":42,"duration":100,"id":"w1"}`},
		{"takes JSON without a type", "/mult", "", ` {"a":6,"b":7}`, `{"res":42,"duration":100,"id":"w1"}`},
		{"takes decimal strings", "/mult", "application/json", `{"a":"6","b":"7.5"}`, `{"res":45,"duration":100,"id":"w1"}`},
		{"looks at the first segment only", "/mult/twice?x=1", "application/json", `{"a":6,"b":7}`, `{"res":42,"duration":100,"id":"w1"}`},
		{"sleeps as long as told", "/sleep", "application/json", `{"ms": 250}`, `{"duration":250,"id":"w1"}`},
		{"sleeps as long as a form tells", "/sleep", formType, `ms=250`, `{"duration":250,"id":"w1"}`},
		{"sleeps its usual time when not told", "/sleep", "", ``, `{"duration":100,"id":"w1"}`},
		{"sleeps its usual time for null", "/sleep", "application/json", `{"ms":null}`, `{"duration":100,"id":"w1"}`},
		{"does not look into other bodies", "/sleep", "application/pdf", "%PDF-1.7 \x00\xff", `{"duration":100,"id":"w1"}`},
		{"sleeps for no time at all", "/sleep", "application/json", `{"ms":0}`, `{"duration":0,"id":"w1"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := send(t.Context(), newWorker(t, Options{}), http.MethodPost, c.path, c.contentType, c.body)
				wantAnswer(t, rec, http.StatusOK, c.want)
				if got := rec.Header().Get("Content-Type"); got != "application/json" {
					t.Errorf("content type %q", got)
				}
			})
		})
	}
}

func TestATaskTakesTheTimeItReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, Options{Duration: &Range{Min: 50 * time.Millisecond, Max: 150 * time.Millisecond}})
		for range 20 {
			began := time.Now()
			rec := post(t, w, "/mult", `{"a":6,"b":7}`)
			took := time.Since(began)
			if took < 50*time.Millisecond || took > 150*time.Millisecond {
				t.Errorf("took %s, outside the range", took)
			}
			wantAnswer(t, rec, http.StatusOK, fmt.Sprintf(`{"res":42,"duration":%d,"id":"w1"}`, took.Round(time.Millisecond).Milliseconds()))
		}
	})
}

func TestACapabilityWithoutATaskOfItsOwnSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, Options{Capabilities: []string{"pdf"}})
		wantAnswer(t, post(t, w, "/pdf/render", `{"ms":250}`), http.StatusOK, `{"duration":250,"id":"w1"}`)

		every := newWorker(t, Options{Capabilities: []string{"*"}, Without: []string{"add"}})
		wantAnswer(t, post(t, every, "/whatever", `{"ms":1}`), http.StatusOK, `{"duration":1,"id":"w1"}`)
		wantAnswer(t, post(t, every, "/mult", `{"a":6,"b":7}`), http.StatusOK, `{"res":42,"duration":100,"id":"w1"}`)
		if rec := post(t, every, "/add", `{"a":6,"b":7}`); rec.Code != http.StatusNotFound {
			t.Errorf("a kind turned off got %d in spite of the wildcard", rec.Code)
		}
	})
}

func TestAKindTheWorkerDoesNotDoIs404(t *testing.T) {
	for _, c := range []struct {
		name string
		opts Options
		path string
	}{
		{"specialised by its list", Options{Capabilities: []string{"mult"}}, "/add"},
		{"specialised by being without", Options{Without: []string{"mult"}}, "/mult"},
		{"general, and asked for something else", Options{}, "/pdf"},
		{"general, and asked for a prefix of a kind", Options{}, "/mul"},
		{"empty segment", Options{Capabilities: []string{"*"}}, "//mult"},
		{"favicon", Options{}, "/favicon.ico"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{http.MethodPost, http.MethodGet} {
				rec := send(t.Context(), newWorker(t, c.opts), method, c.path, "", `{"a":6,"b":7}`)
				if rec.Code != http.StatusNotFound || !strings.HasPrefix(rec.Body.String(), "this worker does not do ") {
					t.Errorf("%s got %d %s", method, rec.Code, rec.Body)
				}
			}
		})
	}
}

func TestOnlyPOSTIsATaskAndOnlyGETAndHEADReadTheState(t *testing.T) {
	for _, c := range []struct{ method, path, allow string }{
		{http.MethodGet, "/mult", "POST"},
		{http.MethodHead, "/add", "POST"},
		{http.MethodPut, "/sleep", "POST"},
		{http.MethodPost, "/", "GET, HEAD"},
		{http.MethodDelete, "/", "GET, HEAD"},
	} {
		rec := send(t.Context(), newWorker(t, Options{}), c.method, c.path, "application/json", `{"a":6,"b":7}`)
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s got %d, Allow %q, want 405, Allow %q", c.method, c.path, rec.Code, rec.Header().Get("Allow"), c.allow)
		}
	}
}

func TestTheStateNamesTheTaskThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, Options{})
		idle := send(t.Context(), w, http.MethodGet, "/", "", "")
		wantAnswer(t, idle, http.StatusOK, "ready to work w1")
		if got := idle.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("idle is told as %q", got)
		}
		go post(t, w, "/mult", `{"a": "6", "b": 7}`)
		synctest.Wait()
		busy := send(t.Context(), w, http.MethodGet, "/", "", "")
		wantAnswer(t, busy, http.StatusOK, `{"type":"mult","task":{"a":6,"b":7},"id":"w1"}`)
		if got := busy.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("busy is told as %q", got)
		}
		go post(t, w, "/sleep", `{"ms":250}`)
		synctest.Wait()
		wantAnswer(t, send(t.Context(), w, http.MethodGet, "/", "", ""), http.StatusOK, `{"type":"mult","task":{"a":6,"b":7},"id":"w1"}`)
		<-time.After(200 * time.Millisecond)
		synctest.Wait()
		wantAnswer(t, send(t.Context(), w, http.MethodGet, "/", "", ""), http.StatusOK, `{"type":"sleep","task":{"ms":250},"id":"w1"}`)
		<-time.After(200 * time.Millisecond)
		synctest.Wait()
		wantAnswer(t, send(t.Context(), w, http.MethodGet, "/", "", ""), http.StatusOK, "ready to work w1")
	})
}

func TestASecondTaskOfAKindIsToldAlreadyWorking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, Options{Identity: "n1"})
		go post(t, w, "/mult", `{"a":6,"b":7}`)
		synctest.Wait()
		rec := post(t, w, "/mult", `{"a":2,"b":3}`)
		wantAnswer(t, rec, http.StatusForbidden, "Already working")
		if rec.Header().Get("X-Understudy-Identity") != "n1" {
			t.Error("no identity in the answer")
		}
		// The original's general worker does one of each kind at a time.
		wantAnswer(t, post(t, w, "/add", `{"a":6,"b":7}`), http.StatusOK, `{"res":13,"duration":100,"id":"w1"}`)
		synctest.Wait()
		wantAnswer(t, post(t, w, "/mult", `{"a":2,"b":3}`), http.StatusOK, `{"res":6,"duration":100,"id":"w1"}`)
	})
}

func TestAConcurrencyBoundsTheTasksOfAllKindsTogether(t *testing.T) {
	for _, concurrency := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorker(t, Options{Concurrency: concurrency})
			answers := make(chan int, concurrency)
			for range concurrency {
				go func() { answers <- post(t, w, "/mult", `{"a":6,"b":7}`).Code }()
			}
			synctest.Wait()
			wantAnswer(t, post(t, w, "/add", `{"a":6,"b":7}`), http.StatusForbidden, "Already working")
			for range concurrency {
				if code := <-answers; code != http.StatusOK {
					t.Errorf("a task within the concurrency got %d", code)
				}
			}
			synctest.Wait()
			wantAnswer(t, post(t, w, "/add", `{"a":6,"b":7}`), http.StatusOK, `{"res":13,"duration":100,"id":"w1"}`)
		})
	}
}

// recorderThatAsks sends the next task at the moment the answer to the first is written, as a balancer may.
type recorderThatAsks struct {
	*httptest.ResponseRecorder
	atWrite func()
}

func (r recorderThatAsks) Write(b []byte) (int, error) {
	r.atWrite()
	return r.ResponseRecorder.Write(b)
}

func TestAWorkerIsFreeBeforeItsAnswerIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, Options{})
		var next *httptest.ResponseRecorder
		rec := recorderThatAsks{httptest.NewRecorder(), func() { next = post(t, w, "/mult", `{"a":2,"b":3}`) }}
		w.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mult", strings.NewReader(`{"a":6,"b":7}`)))
		wantAnswer(t, next, http.StatusOK, `{"res":6,"duration":100,"id":"w1"}`)
	})
}

func TestATaskWhoseClientIsGoneEndsAndFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan *httptest.ResponseRecorder, 1)
		go func() { answer <- send(ctx, w, http.MethodPost, "/sleep", "", `{"ms":60000}`) }()
		synctest.Wait()
		began := time.Now()
		cancel()
		rec := <-answer
		if rec.Code != http.StatusServiceUnavailable || time.Since(began) != 0 {
			t.Errorf("got %d after %s, want 503 at once", rec.Code, time.Since(began))
		}
		wantAnswer(t, post(t, w, "/sleep", `{"ms":5}`), http.StatusOK, `{"duration":5,"id":"w1"}`)
	})
}

func TestWithoutAnIdentityThereIsNoHeaderForIt(t *testing.T) {
	rec := send(t.Context(), newWorker(t, Options{}), http.MethodGet, "/", "", "")
	if _, there := rec.Header()["X-Understudy-Identity"]; there {
		t.Error("a worker without an identity answers one")
	}
}
