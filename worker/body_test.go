package worker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBadInputIsRefusedInOneSentence(t *testing.T) {
	digits := strings.Repeat("9", maxDigits+1)
	for _, c := range []struct {
		name, path, contentType, body string
		status                        int
		says                          string
	}{
		{"no body", "/mult", "", ``, 400, "a is missing"},
		{"no b", "/mult", "application/json", `{"a":6}`, 400, "b is missing"},
		{"null", "/add", "application/json", `{"a":6,"b":null}`, 400, "b is missing"},
		{"names in another case", "/add", "application/json", `{"A":6,"B":7}`, 400, "a is missing"},
		{"a word", "/mult", "application/json", `{"a":"six","b":7}`, 400, `a is "six"`},
		{"a bool", "/mult", "application/json", `{"a":true,"b":7}`, 400, `a is "true"`},
		{"a list", "/mult", "application/json", `{"a":[6],"b":7}`, 400, `a is "[6]"`},
		{"not a number", "/mult", formType, `a=NaN&b=7`, 400, `a is "NaN"`},
		{"infinite", "/mult", formType, `a=-inf&b=7`, 400, `a is "-inf"`},
		{"hexadecimal", "/mult", formType, `a=0x10&b=7`, 400, `a is "0x10"`},
		{"too many digits", "/mult", formType, `a=` + digits + `&b=7`, 400, `more than 1000 characters`},
		{"too large a number", "/mult", "application/json", `{"a":1e999,"b":7}`, 400, "a is"},
		{"too large a result", "/mult", "application/json", `{"a":1e300,"b":1e300}`, 400, "the result is too large"},
		{"broken JSON", "/mult", "application/json", `{"a":6,`, 400, "not a JSON object"},
		{"JSON after JSON", "/mult", "application/json", `{"a":6,"b":7}{}`, 400, "not a JSON object"},
		{"a JSON list", "/mult", "application/json", `[6,7]`, 400, "not a JSON object"},
		{"a list of a kind of JSON", "/sleep", "application/problem+json", `[6,7]`, 400, "not a JSON object"},
		{"a broken form", "/mult", formType, `a=%zz`, 400, "not a form"},
		{"negative sleep", "/sleep", "application/json", `{"ms":-1}`, 400, `ms is "-1": it must be 0 to 600000`},
		{"sleep for too long", "/sleep", "application/json", `{"ms":600000.1}`, 400, `it must be 0 to 600000`},
		{"sleep for a word", "/sleep", "application/json", `{"ms":"long"}`, 400, `ms is "long"`},
		{"too large a body", "/sleep", "application/pdf", strings.Repeat("x", maxBody+1), 413, "larger than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorker(t, Options{Identity: "n1"})
			rec := send(t.Context(), w, http.MethodPost, c.path, c.contentType, c.body)
			said := rec.Body.String()
			if rec.Code != c.status || !strings.Contains(said, c.says) || strings.Count(said, "\n") != 1 || len(said) > 250 {
				t.Errorf("got %d %s, want %d and one sentence with %s", rec.Code, said, c.status, c.says)
			}
			if rec.Header().Get("X-Understudy-Identity") != "n1" {
				t.Error("no identity in the answer")
			}
			if got := get(t, w); got != "ready to work w1" {
				t.Errorf("afterwards the worker says %s", got)
			}
		})
	}
}

func TestABodyThatBreaksOffIsBadInput(t *testing.T) {
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mult", brokenBody{})
	newWorker(t, Options{}).ServeHTTP(rec, r)
	if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "ended too early") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, fmt.Errorf("connection reset") }

func TestTheLargestBodyAllowedIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := send(t.Context(), newWorker(t, Options{}), http.MethodPost, "/sleep", "application/pdf", strings.Repeat("x", maxBody))
		wantAnswer(t, rec, http.StatusOK, `{"duration":100,"id":"w1"}`)
	})
}

// Whatever a client sends, it gets either a task that can be shown as JSON and ends in time, or an error.
func FuzzNewTask(f *testing.F) {
	f.Add("mult", "application/json", []byte(`{"a":6,"b":"7.5"}`))
	f.Add("add", formType, []byte(`a=+6&b=1e3`))
	f.Add("sleep", "", []byte(`{"ms":2.5}`))
	f.Add("pdf", "application/pdf", []byte("%PDF\x00"))
	usual := func() time.Duration { return time.Second }
	f.Fuzz(func(t *testing.T, kind, mediaType string, body []byte) {
		in, err := parseFields(mediaType, body)
		if err != nil {
			return
		}
		made, err := newTask(kind, in, usual)
		if err != nil {
			return
		}
		if made.length < 0 || made.length > longest || !json.Valid(made.input) || made.result != nil && !json.Valid(made.result) {
			t.Errorf("%s makes %+v", body, made)
		}
	})
}
