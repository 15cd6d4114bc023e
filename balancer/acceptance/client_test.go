package acceptance

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// client is a connection to the balancer on which bytes are sent as they are written.
type client struct {
	x *trial
	c wire
	r *bufio.Reader
}

// wire is a connection, encrypted or not.
type wire interface {
	net.Conn
	CloseWrite() error
}

// reply is an answer as the client got it.
type reply struct {
	*message
	status  int
	interim []*message // answers before the answer
}

func (w *world) dial() *client {
	c, err := w.connect()
	if err != nil {
		w.x.Fatal(err)
	}
	w.mu.Lock()
	w.clients = append(w.clients, c)
	w.mu.Unlock()
	return c
}

// connect is dial for other goroutines than the row's. Whoever asks closes it.
func (w *world) connect() (*client, error) {
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(soon())
	_, _ = io.WriteString(conn, w.plan.before)
	line := wire(conn.(*net.TCPConn))
	if w.front.secure {
		line = tls.Client(conn, trusting())
	}
	return &client{x: w.x, c: line, r: bufio.NewReader(line)}, nil
}

// trusting is how clients speak TLS. The key exchange is the cheap one: the default costs several times as much, most of all with the race
// detector, and it is not ours.
func trusting(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols, CurvePreferences: []tls.CurveID{tls.X25519}}
}

// send writes bytes. That the server has hung up already is for the reading side to find out.
func (c *client) send(text string) *client {
	_ = c.c.SetDeadline(soon()) // for each, however many there are
	_, _ = io.WriteString(c.c, text)
	return c
}

func (c *client) close() { _ = c.c.Close() }

// ask sends bytes on a new connection and reads the answer.
func (x *trial) ask(text string) *reply { return x.dial().send(text).answer(text) }

// answer reads the answer to a request, of which the method counts. It ends the row when there is none.
func (c *client) answer(request string) *reply {
	a, err := c.read(request)
	if err != nil {
		c.x.Fatalf("no answer: %v", err)
	}
	return a
}

// read reads an answer by the letter. An error says that it is not there, not whole, or not as HTTP has it.
func (c *client) read(request string) (*reply, error) {
	method, _, _ := strings.Cut(request, " ")
	a := &reply{}
	for {
		m, err := readStart(c.r)
		if err != nil {
			return nil, err
		}
		a.message = m
		version, rest, _ := strings.Cut(m.start, " ")
		code, _, _ := strings.Cut(rest, " ")
		a.status, err = strconv.Atoi(code)
		if err != nil || len(code) != 3 || version != "HTTP/1.1" && version != "HTTP/1.0" {
			return nil, errors.New("the status line " + strconv.Quote(m.start))
		}
		if a.status >= 200 || a.status == http.StatusSwitchingProtocols {
			break
		}
		a.interim = append(a.interim, m)
	}
	size, err := a.framing()
	switch {
	case method == http.MethodHead || a.status == 101 || a.status == 204 || a.status == 304:
		size = 0
	case err != nil:
		return nil, err
	}
	return a, a.readBody(c.r, size)
}

// again asks on the connection, or on another one where the last answer closed it. It ends the row when there is no answer.
func (c *client) again(request string) *reply {
	a, err := c.send(request).read(request)
	if err != nil {
		c.x.Fatalf("no answer: %v", err)
	}
	if strings.EqualFold(a.get("Connection"), "close") {
		c.close()
		next, err := c.x.connect()
		if err != nil {
			c.x.Fatal(err)
		}
		c.c, c.r = next.c, next.r
	}
	return a
}

// closed asserts that the server closes the connection, and says nothing more on it.
func (c *client) closed() {
	rest, err := io.ReadAll(c.r)
	if len(rest) > 0 {
		c.x.Errorf("behind the answer came %.200q", rest)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.x.Errorf("the connection stays open")
	}
}

// stays asserts that the connection serves another request.
func (c *client) stays() {
	request := "GET " + after + " HTTP/1.1\r\nHost: h\r\n\r\n"
	if a, err := c.send(request).read(request); err != nil || a.status != 200 {
		c.x.Errorf("the connection does not go on: %v", err)
	}
}

// problem is an error of the balancer.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	Capabilities              []string
}

func (a *reply) isProblem() bool { return a.get("Content-Type") == "application/problem+json" }

var codeShape = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// problem asserts that the answer is an error as RFC 9457 has it.
func (x *trial) problem(a *reply) problem {
	var p problem
	switch err := json.Unmarshal(a.body, &p); {
	case !a.isProblem() || err != nil:
		x.Errorf("status %d is no problem+json: %v %.200q", a.status, a.fields, a.body)
	case p.Status != a.status || p.Title == "" || !codeShape.MatchString(p.Code):
		x.Errorf("status %d, problem %+v", a.status, p)
	case a.status == 503 && !seconds.MatchString(a.get("Retry-After")):
		x.Errorf("503 with Retry-After %q", a.get("Retry-After"))
	}
	return p
}

var seconds = regexp.MustCompile(`^[1-9][0-9]*$`)

// refusal asserts that the answer is one of the statuses, as the balancer's errors are. What net/http cannot read it refuses before the
// balancer hears of it, in plain text.
func (x *trial) refusal(a *reply, statuses ...int) {
	good := false
	for _, s := range statuses {
		good = good || a.status == s
	}
	if !good {
		x.Errorf("status %d, want one of %v: %.200q", a.status, statuses, a.body)
		return
	}
	if x.front.web && !a.isProblem() && !a.has("X-Request-Id") {
		if !strings.HasPrefix(a.get("Content-Type"), "text/plain") && len(a.body) > 0 {
			x.Errorf("status %d: %v", a.status, a.fields)
		}
		return
	}
	x.problem(a)
}
