package admin

import (
	"encoding/json"
	"net/http"
)

// problem is an error for programs and people alike: RFC 9457 with a stable code.
type problem struct {
	Title  string `json:"title"` // the status in words when empty
	Status int    `json:"status"`
	Detail string `json:"detail"` // one sentence
	Code   string `json:"code"`
}

const problemType = "application/problem+json"

func (p problem) write(w http.ResponseWriter) {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	body, err := json.Marshal(p)
	if err != nil { // cannot be: strings and a number
		body = []byte(`{}`)
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n')) // an error means the client left; nobody is there to be told
}
