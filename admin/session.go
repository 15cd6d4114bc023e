package admin

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

const (
	sessionTime  = 12 * time.Hour
	sessionCost  = 100_000 // rounds: whoever has got hold of a cookie must not find a short token by trying
	maxLoggedOut = 1024

	sessionID   = 16
	sessionSize = sessionID + 8 + sha256.Size
)

// sessions are what browsers hold in place of the token: a random name and an end, signed with a key that is made from the token. They
// are valid in every process that has the same token, so a restart logs nobody out. Methods may be called concurrently.
type sessions struct {
	cookie string // its name; cookies know no ports, so each instance has one of its own
	now    func() time.Time
	key    func() []byte

	mu        sync.Mutex
	loggedOut map[[sessionID]byte]time.Time // until when they would have been valid
	since     time.Time                     // sessions that began before are over
}

func newSessions(token, instance string, now func() time.Time) *sessions {
	name := sha256.Sum256([]byte(instance))
	return &sessions{
		cookie: "understudy_" + hex.EncodeToString(name[:4]), now: steady(now), loggedOut: map[[sessionID]byte]time.Time{},
		key: sync.OnceValue(func() []byte {
			key, err := pbkdf2.Key(sha256.New, token, []byte("understudy session "+instance), sessionCost, sha256.Size)
			if err != nil { // only where the system forbids the algorithm
				key = make([]byte, sha256.Size)
				rand.Read(key)
			}
			return key
		}),
	}
}

// steady is now, undisturbed by whoever sets the clock: it goes on from where the clock was. Else setting it back would make sessions that begin
// from then on older than those that were ended.
func steady(now func() time.Time) func() time.Time {
	began := now()
	return func() time.Time { return began.Add(now().Sub(began)) }
}

// begin makes the cookie of a new session.
func (s *sessions) begin(secure bool) *http.Cookie {
	value := make([]byte, sessionID, sessionSize)
	rand.Read(value) // never fails
	value = binary.BigEndian.AppendUint64(value, uint64(s.now().Add(sessionTime).UnixMilli()))
	return s.bake(base64.RawURLEncoding.EncodeToString(s.sign(value)), int(sessionTime/time.Second), secure)
}

func (s *sessions) bake(value string, maxAge int, secure bool) *http.Cookie {
	return &http.Cookie{Name: s.cookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure}
}

func (s *sessions) sign(value []byte) []byte {
	mac := hmac.New(sha256.New, s.key())
	mac.Write(value)
	return mac.Sum(value)
}

// of tells whether a request belongs to a session, and to which.
func (s *sessions) of(r *http.Request) (id [sessionID]byte, end time.Time, ok bool) {
	cookie, err := r.Cookie(s.cookie)
	if err != nil {
		return id, end, false
	}
	value, err := base64.RawURLEncoding.Strict().DecodeString(cookie.Value)
	if err != nil || len(value) != sessionSize {
		return id, end, false
	}
	signed := value[:sessionID+8]
	if !hmac.Equal(s.sign(signed[:len(signed):len(signed)]), value) {
		return id, end, false
	}
	copy(id[:], value)
	end = time.UnixMilli(int64(binary.BigEndian.Uint64(signed[sessionID:])))
	return id, end, s.lasts(id, end)
}

func (s *sessions) lasts(id [sessionID]byte, end time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, out := s.loggedOut[id]
	return !out && s.now().Before(end) && !end.Add(-sessionTime).Before(s.since)
}

// end makes a session invalid at once. When more have been ended than can be remembered, all that began before now are over.
func (s *sessions) end(id [sessionID]byte, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for other, at := range s.loggedOut {
		if !now.Before(at) {
			delete(s.loggedOut, other)
		}
	}
	if len(s.loggedOut) >= maxLoggedOut {
		clear(s.loggedOut)
		s.since = now.Add(time.Millisecond) // a session's beginning is known to the millisecond
	}
	s.loggedOut[id] = until
}
