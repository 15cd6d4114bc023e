package balancer

import "math/rand/v2"

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// requestID is the one the client gave, when it is short and harmless in logs, else a new one.
func (s *said) requestID() string {
	if s.ids == 1 && saneID(s.id) {
		return s.id
	}
	return newID()
}

// newID is 128 random bits as 26 letters and digits (Base32). An id tells requests apart and is no secret, so it comes from the generator of the
// runtime: ChaCha8, seeded by the system, one for each processor. That costs neither a system call nor a lock.
func newID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	for half := range 2 {
		bits := rand.Uint64()
		for i := range len(id) / 2 {
			id[half*len(id)/2+i] = alphabet[bits&31]
			bits >>= 5
		}
	}
	return string(id[:])
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
