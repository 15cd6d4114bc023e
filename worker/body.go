package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxBody = 1 << 20 // bytes of a request's body
	example = `send JSON such as {"a":6,"b":7} or {"ms":250}, or the same as a form`
)

// fields are what a client sent, by name, in the text it wrote. A JSON string has lost its quotes; null counts as not sent.
type fields map[string]string

func (f fields) number(name string) (number, error) {
	text, ok := f[name]
	if !ok {
		return number{}, fmt.Errorf("%s is missing: %s", name, example)
	}
	n, err := parseNumber(text)
	if err != nil {
		return number{}, fmt.Errorf("%s is %s: %w", name, shorten(text), err)
	}
	return n, nil
}

// readFields reads the whole body. The status goes with the error, which is for the client.
//
// Whoever writes `curl -d '{"a":6,"b":7}'` sends JSON and calls it a form, so a body that starts like a JSON object is one, whatever its
// type. A body of a type that is neither JSON nor a form is not looked into: a PDF sent to a worker that only sleeps is fine.
func readFields(w http.ResponseWriter, r *http.Request) (fields, int, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes, which is all this worker reads", maxBody)
	}
	if err != nil {
		return nil, http.StatusBadRequest, errors.New("the body ended too early: send as much as Content-Length says")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	in, err := parseFields(kind, bytes.TrimSpace(body))
	return in, http.StatusBadRequest, err
}

func parseFields(mediaType string, body []byte) (fields, error) {
	switch {
	case len(body) == 0:
		return nil, nil
	case body[0] == '{', mediaType == "application/json", strings.HasSuffix(mediaType, "+json"):
		return parseJSON(body)
	case mediaType == "", mediaType == "application/x-www-form-urlencoded":
		return parseForm(body)
	default:
		return nil, nil
	}
}

func parseJSON(body []byte) (fields, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, fmt.Errorf("the body is not a JSON object (%w): %s", err, example)
	}
	in := make(fields, len(object))
	for name, raw := range object {
		var text string
		switch {
		case string(raw) == "null":
			continue
		case json.Unmarshal(raw, &text) == nil:
			in[name] = text
		default:
			in[name] = string(raw)
		}
	}
	return in, nil
}

func parseForm(body []byte) (fields, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("the body is not a form (%w): %s", err, example)
	}
	in := make(fields, len(values))
	for name := range values {
		in[name] = values.Get(name)
	}
	return in, nil
}

// shorten keeps what a client sent from filling its error message.
func shorten(text string) string {
	const most = 40
	if len(text) > most {
		text = text[:most] + "..."
	}
	return fmt.Sprintf("%q", text)
}
