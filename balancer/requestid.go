package balancer

import (
	"crypto/rand"
	"net/http"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// requestID is the one the client gave, when it is short and harmless in logs, else a new one.
func requestID(r *http.Request) string {
	if ids := r.Header[requestIDHeader]; len(ids) == 1 && saneID(ids[0]) {
		return ids[0]
	}
	return rand.Text()
}

// saneID accepts letters, digits and -._~:/+=@, which covers UUIDs, ULIDs, trace ids and Base64.
func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !alphanumeric(c) && c != '-' && c != '.' && c != '_' && c != '~' && c != ':' && c != '/' && c != '+' && c != '=' && c != '@' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
