package client

import (
	"errors"
	"io"
	"time"

	"understudy/h1"
)

const (
	// atOnce is the length up to which a request is written before its answer is looked for, in bytes. The answer to a longer one may come
	// while it is being written, and its other side may take no more of it then.
	atOnce = 64 << 10
	// maxInterim is how many interim answers (1xx) there may be to one request.
	maxInterim = 100
)

var errInterim = errors.New("interim answers (1xx) without end")

// exchange makes one request on conn, which was used before or is new, and reads its answer.
func (s *plainSender) exchange(conn *h1.Conn, t task, c *caller, reused bool) (answer, error) {
	if err := conn.SetDeadline(c.by); err != nil {
		return answer{}, writeError{err}
	}
	request, shared := s.requests.request(conn.Scratch(), t)
	if len(request) > atOnce {
		return s.exchangeBothWays(conn, request, c)
	}
	_, unwritten := conn.Write(request)
	if !shared {
		conn.KeepScratch(request)
	}
	if unwritten != nil && reused {
		return answer{}, writeError{unwritten} // what can be read would be a farewell, and no answer
	}
	a, err := s.read(conn, c) // also when it was not written: who refuses a connection may say why
	if err != nil && unwritten != nil {
		return answer{}, writeError{unwritten}
	}
	return a, err
}

// exchangeBothWays writes while it reads. After a whole answer the rest of the request is of no interest to anybody.
func (s *plainSender) exchangeBothWays(conn *h1.Conn, request []byte, c *caller) (answer, error) {
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(request)
		written <- err
	}()
	a, err := s.read(conn, c)
	if err == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Millisecond)) // most often it is written, and only has not said so yet
	} else {
		conn.Abort()
	}
	if unwritten := <-written; err != nil && unwritten != nil && brokenOff(unwritten) {
		err = writeError{unwritten}
	}
	return a, err
}

func (s *plainSender) read(conn *h1.Conn, c *caller) (answer, error) {
	for range maxInterim {
		r, err := conn.ReadResponse(s.requests.method)
		if err != nil {
			return answer{}, err
		}
		if r.Status < 200 && r.Status != 101 {
			continue
		}
		a := answer{status: r.Status}
		a.look(r.Fields)
		if !r.Body {
			return a, nil
		}
		n, err := drain(conn, c.buf)
		a.body = c.buf[:n]
		return a, err
	}
	return answer{}, errInterim
}

// look takes what the client looks at from among the fields.
func (a *answer) look(fields h1.Fields) {
	for i := range fields {
		switch name, value := fields[i].Name, fields[i].Value; len(name) {
		case len("X-Understudy-Worker"):
			if a.worker == "" && h1.EqualFold(name, "X-Understudy-Worker") {
				a.worker = value
			}
		case len("X-Understudy-Start"):
			if a.start == "" && h1.EqualFold(name, "X-Understudy-Start") {
				a.start = value
			}
		case len("Server-Timing"):
			switch {
			case !h1.EqualFold(name, "Server-Timing"):
			case a.timing == "":
				a.timing = value
			default:
				a.timing += "," + value
			}
		}
	}
}

// drain reads body to its end, so that the connection can be used again, and keeps what fits into buf.
func drain(body io.Reader, buf []byte) (int, error) {
	n := 0
	for n < len(buf) {
		m, err := body.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	_, err := io.Copy(io.Discard, body)
	return n, err
}
