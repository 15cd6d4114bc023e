package balancer

import (
	"encoding/json"
	"net"

	"understudy/h1"
)

// newLean is our own server, the front for plain connections. It costs about half of what net/http's does, and answers what is no request in
// the same form as everything else.
func (s *Server) newLean() *h1.Server {
	limits := s.b.settings.Load().Limits
	return &h1.Server{
		Handler: s.b, IdleTimeout: limits.Idle, MaxHead: int(limits.Header), Log: s.b.log, Refusal: refusal,
	}
}

// suitsLean tells whether our own server can serve a connection: it must see on the socket that a client has left.
func suitsLean(c net.Conn) bool {
	_, err := socketOf(c)
	return err == nil
}

// refusal is the answer to what is no request, in the form of all others.
func refusal(status int, detail string) (fields h1.Fields, body string) {
	p := errMalformed
	for _, known := range []*problem{errSlowClient, errExpectation, errHeadTooLarge, errCoding, errVersion} {
		if known.status == status {
			p = known
		}
	}
	text, _ := json.Marshal(problemBody{"about:blank", p.title, p.status, detail, p.code, nil}) // cannot fail: strings and numbers
	return h1.Fields{
		{Name: "Content-Type", Value: "application/problem+json"}, {Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"}, {Name: requestIDHeader, Value: newID()},
	}, string(text) + "\n"
}
