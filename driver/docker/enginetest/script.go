package enginetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Script answers a request, or returns false to let the route answer as it does by itself.
type Script func(w http.ResponseWriter, r *http.Request) (answered bool)

// Script sets what a route answers from now on; nil: as it does by itself. The routes' names are in routes.go.
func (e *Engine) Script(route string, s Script) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scripts[route] = s
}

// Refuse answers with an error in an engine's manner.
func Refuse(status int, text string) Script {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		refuse(w, status, text)
		return true
	}
}

func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	answer(w, status, map[string]string{"message": format})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who has left needs no answer
}

// First lets s answer the first n requests; those after it are answered as ever.
func First(n int, s Script) Script {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		n--
		over := n < 0
		mu.Unlock()
		return !over && s(w, r)
	}
}

// Hang answers nothing until the caller leaves or the engine goes down.
func Hang(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// Cut sends a part of an answer and drops the connection.
func Cut(part string) Script {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, part)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// Delay lets d pass before the route answers.
func Delay(d time.Duration) Script {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		return false
	}
}

// Until lets the route answer only when free is closed.
func Until(free <-chan struct{}) Script {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-free:
		case <-r.Context().Done():
		}
		return false
	}
}

// Lose does what was asked and drops the connection instead of saying so: the caller cannot know.
func Lose(_ http.ResponseWriter, r *http.Request) bool {
	r.Context().Value(routeKey{}).(http.HandlerFunc)(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// Late does what was asked after the caller has left or d has passed, whichever is first, and answers nothing: an effect that
// comes when nobody reckons with it any more.
func Late(d time.Duration) Script {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		late := r.Clone(context.WithoutCancel(r.Context()))
		late.Body = io.NopCloser(bytes.NewReader(body))
		r.Context().Value(routeKey{}).(http.HandlerFunc)(httptest.NewRecorder(), late)
		panic(http.ErrAbortHandler)
	}
}

// routeKey leads in a request's context to what the route answers by itself.
type routeKey struct{}
