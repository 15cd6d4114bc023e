package balancer

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// handshakeTimeout is how long a client may take for the TLS handshake.
const handshakeTimeout = 5 * time.Second

// encrypt speaks TLS on a connection where a certificate is in force. On error the connection is no good.
func (s *Server) encrypt(c net.Conn) (net.Conn, error) {
	cfg := s.b.tls.Load()
	if cfg == nil {
		return c, nil
	}
	if s.HandshakeTimeout > 0 {
		_ = c.SetDeadline(time.Now().Add(s.HandshakeTimeout)) // fails only on a connection that is closed
	}
	secure := tls.Server(c, cfg)
	if err := secure.Handshake(); err != nil {
		if broken, ok := errors.AsType[tls.RecordHeaderError](err); ok && broken.Conn != nil && beginsHTTP(broken.RecordHeader[:]) {
			tellPlain(c)
		}
		return nil, err
	}
	return secure, c.SetDeadline(time.Time{})
}

// tellPlain answers, in plain text, a client that speaks plain text: it could not read anything else.
func tellPlain(w io.Writer) {
	text, _ := json.Marshal(problemBody{Type: "about:blank", Title: errPlain.title, Status: errPlain.status, Code: errPlain.code})
	fmt.Fprintf(w, "HTTP/1.1 %d Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"+
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s: %s\r\nConnection: close\r\n\r\n%s\n",
		errPlain.status, len(text)+1, requestIDHeader, rand.Text(), text)
}

// beginsHTTP tells whether the first five bytes of a connection are those of a request in plain text.
func beginsHTTP(head []byte) bool {
	return slices.Contains([]string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO"}, string(head))
}
