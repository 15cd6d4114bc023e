package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ServeHTTP answers GET / and tasks. The first segment of the path is the kind of task, the rest is not looked at.
//
//	200  the result
//	400  the body is not what the kind needs
//	403  `Already working`: nothing was done, ask another worker
//	404  this worker does not do that kind
//	405  tasks are POSTed
//	413  the body is larger than 1 MiB
func (w *Worker) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if w.opts.Identity != "" {
		rw.Header().Set("X-Understudy-Identity", w.opts.Identity)
	}
	if r.URL.Path == "/" {
		w.serveState(rw, r)
		return
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case !w.does(kind):
		refuse(rw, http.StatusNotFound, fmt.Sprintf("this worker does not do %q, only %s", kind, w.kinds))
	case r.Method != http.MethodPost:
		rw.Header().Set("Allow", http.MethodPost)
		refuse(rw, http.StatusMethodNotAllowed, fmt.Sprintf("a task must be sent with POST, not %s", r.Method))
	default:
		w.serveTask(rw, r, kind)
	}
}

func (w *Worker) does(kind string) bool {
	return isSegment(kind) && w.kinds.has(kind) && !slices.Contains(w.opts.Without, kind)
}

// serveState tells what the worker is doing. Of several tasks it names the one that has been running longest.
func (w *Worker) serveState(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		rw.Header().Set("Allow", "GET, HEAD")
		refuse(rw, http.StatusMethodNotAllowed, fmt.Sprintf("the worker's state is read with GET, not %s; tasks go to a path such as /mult", r.Method))
		return
	}
	current := w.desk.oldest()
	if current == nil {
		writeText(rw, http.StatusOK, "ready to work "+w.opts.ID)
		return
	}
	writeJSON(rw, struct {
		Type string          `json:"type"`
		Task json.RawMessage `json:"task"`
		ID   string          `json:"id"`
	}{current.kind, current.input, w.opts.ID})
}

func (w *Worker) serveTask(rw http.ResponseWriter, r *http.Request, kind string) {
	// The body is read to its end before the task begins: a slow sender keeps no room, and only then does net/http notice that a
	// client is gone.
	in, status, err := readFields(rw, r)
	if err != nil {
		refuse(rw, status, err.Error())
		return
	}
	t, err := newTask(kind, in, w.opts.Duration.pick)
	if err != nil {
		refuse(rw, http.StatusBadRequest, err.Error())
		return
	}
	if !w.desk.take(&t) {
		writeText(rw, http.StatusForbidden, "Already working")
		return
	}
	took, err := w.do(r.Context(), &t)
	if err != nil {
		w.log.Debug("task abandoned", "kind", kind, "after", took, "cause", err)
		refuse(rw, http.StatusServiceUnavailable, "the task was cut off before its end")
		return
	}
	w.log.Debug("task done", "kind", kind, "took", took)
	writeJSON(rw, struct {
		Res      json.RawMessage `json:"res,omitempty"`
		Duration int64           `json:"duration"`
		ID       string          `json:"id"`
	}{t.result, took.Round(time.Millisecond).Milliseconds(), w.opts.ID})
}

// do spends the task's time and clears the desk: before the answer is written, because whoever reads it may send the next task at once.
// It ends early, with an error, when ctx does.
func (w *Worker) do(ctx context.Context, t *task) (time.Duration, error) {
	defer w.desk.drop(t)
	began := time.Now()
	timer := time.NewTimer(t.length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return time.Since(began), nil
	case <-ctx.Done():
		return time.Since(began), context.Cause(ctx)
	}
}

// refuse answers with one sentence.
func refuse(rw http.ResponseWriter, status int, sentence string) {
	writeText(rw, status, sentence+"\n")
}

func writeText(rw http.ResponseWriter, status int, text string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, text) // a client that is gone cannot be told so
}

func writeJSON(rw http.ResponseWriter, answer any) {
	rw.Header().Set("Content-Type", "application/json")
	text, _ := json.Marshal(answer) // cannot fail: the raw parts were made by this package
	_, _ = rw.Write(text)
}
