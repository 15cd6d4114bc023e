package balancer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestNobodyGetsWhatIsAnothers has clients and workers do everything at the same time that ends a request early: leave, cut an upload, answer without
// having read, break off, upgrade, pipeline. Each request carries a word of its own in its path, a field and its body, each answer too. Whoever sees
// two words in one message has got something of another one's. UNDERSTUDY_ACCEPTANCE=full sends 120 000.
func TestNobodyGetsWhatIsAnothers(t *testing.T) {
	requests := often(2500, 40)
	for _, front := range []string{"plain", "TLS", "h2"} {
		for _, ends := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ends=%v", front, ends), func(t *testing.T) {
				m := newMixture(t, front != "plain")
				var clients sync.WaitGroup
				for range 8 {
					clients.Go(func() {
						if front == "h2" {
							m.streams(requests)
						} else {
							m.lines(requests)
						}
					})
				}
				if ends {
					until(t, "some are served", func() bool { return len(m.records.finished) > requests })
					m.balancer.Abort()
					_ = m.server.Close()
				}
				clients.Wait()
				until(t, "nothing is in flight", m.idle)
			})
		}
	}
}

// often is how many times something is done: the larger number when UNDERSTUDY_ACCEPTANCE=full, else few enough for every run of the tests.
func often(full, usual int) int {
	if os.Getenv("UNDERSTUDY_ACCEPTANCE") == "full" {
		return full
	}
	return usual
}

// mixture is a world with workers and clients of all kinds.
type mixture struct {
	*world
	secure bool
}

func newMixture(t *testing.T, secure bool) *mixture {
	p := pool("general", "mult")
	p.Concurrency = 4
	w := newWorld(t, p)
	w.balancer.log, w.records.finished = slog.New(slog.DiscardHandler), make(chan recorded, 1<<17)
	if secure {
		w.secure("mixture")
	}
	m := &mixture{w, secure}
	for range 3 {
		w.worker("general", m.work)
	}
	return m
}

// work answers with the word of the request, after the manner that it asks for.
func (m *mixture) work(w http.ResponseWriter, r *http.Request) {
	word, manner := r.Header.Get("X-Word"), r.URL.RawQuery
	if !strings.HasPrefix(r.URL.Path, "/mult/"+word) || len(word) != wordLength {
		m.t.Errorf("a worker got %s with the word %s", r.URL.Path, word)
	}
	w.Header().Set("X-Word", word)
	switch manner {
	case "unread":
	case "upgrade":
		m.parrot(w, word)
		return
	case "hint":
		w.WriteHeader(http.StatusEarlyHints)
		fallthrough
	default:
		body, err := io.ReadAll(r.Body)
		if !repeats(string(body), word) {
			m.t.Errorf("a worker got for %s the body %.80q (%v)", word, body, err)
		}
	}
	switch manner {
	case "die":
		panic(http.ErrAbortHandler)
	case "stall":
		timer := time.NewTimer(time.Duration(rand.N(20)) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	for n := range 1 + rand.N(4) {
		_, _ = io.WriteString(w, strings.Repeat(word, 1+rand.N(2000)))
		if manner == "pieces" {
			_ = http.NewResponseController(w).Flush()
		}
		if manner == "break" && n > 0 {
			panic(http.ErrAbortHandler)
		}
	}
}

// parrot says its word, and then whatever it hears.
func (m *mixture) parrot(w http.ResponseWriter, word string) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		m.t.Error(err)
		return
	}
	defer c.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Word: %s\r\n\r\n%s", word, word)
	_ = rw.Flush()
	_, _ = io.Copy(c, rw)
}

const wordLength = 16

func newWord() string { return newID()[:wordLength] }

// repeats tells whether text is a word again and again, the last time perhaps not to its end.
func repeats(text, word string) bool {
	for len(text) > len(word) {
		if text[:len(word)] != word {
			return false
		}
		text = text[len(word):]
	}
	return strings.HasPrefix(word, text)
}

var manners = []string{"plain", "plain", "plain", "unread", "pieces", "stall", "die", "break", "hint"}

func (m *mixture) connect() (net.Conn, error) {
	c, err := net.Dial("tcp", m.addr)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	if m.secure {
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true}), nil
	}
	return c, nil
}

// lines is a client that speaks HTTP/1.1 by hand, on one connection after the other.
func (m *mixture) lines(requests int) {
	for sent := 0; sent < requests; {
		c, err := m.connect()
		if err != nil {
			return // the end
		}
		r := bufio.NewReader(c)
		for more := true; more && sent < requests; {
			var n int
			n, more = m.talk(c, r)
			sent += n
		}
		_ = c.Close()
	}
}

// talk sends one request or a few at once, and reads the answers. It reports how many, and whether the connection goes on.
func (m *mixture) talk(c net.Conn, r *bufio.Reader) (n int, more bool) {
	var words []string
	var text strings.Builder
	for range 1 + rand.N(3)/2*rand.N(4) {
		word := newWord()
		words = append(words, word)
		text.WriteString(request(word, manners[rand.N(len(manners))]))
	}
	switch whole := text.String(); rand.N(12) {
	case 0: // leaves in the middle of what it says
		_, _ = io.WriteString(c, whole[:rand.N(len(whole))])
		return len(words), false
	case 1: // leaves before it is answered
		_, _ = io.WriteString(c, whole)
		return len(words), false
	case 2:
		m.upgrade(c, r)
		return 1, false
	default:
		go func() { _, _ = io.WriteString(c, whole) }() // answers may come meanwhile
	}
	for _, word := range words {
		if !m.hear(r, word) {
			return len(words), false
		}
	}
	return len(words), true
}

// request is one request without a body, with a small one, with one that streams, or in chunks.
func request(word, manner string) string {
	head := "/mult/" + word + "?" + manner + " HTTP/1.1\r\nHost: h\r\nX-Word: " + word + "\r\n"
	switch rand.N(6) {
	case 0:
		body := strings.Repeat(word, rand.N(10000))
		return fmt.Sprintf("POST %sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	case 1:
		body := strings.Repeat(word, 1+rand.N(8000))
		return fmt.Sprintf("PUT %sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(body), body, len(word), word)
	case 2:
		body := strings.Repeat(word, rand.N(100))
		return fmt.Sprintf("POST %sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	return "GET " + head + "\r\n"
}

// hear reads one answer. It reports whether another may follow.
func (m *mixture) hear(r *bufio.Reader, word string) bool {
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				m.t.Errorf("no answer for %s", word)
			}
			return false
		}
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		m.check(resp, string(body), word)
		if resp.StatusCode >= 200 {
			return err == nil && !resp.Close
		}
	}
}

// check looks for words that are not ours.
func (m *mixture) check(resp *http.Response, body, word string) {
	switch got := resp.Header.Get("X-Word"); {
	case resp.StatusCode >= 500 && got == "": // the balancer's own
	case got != word || !repeats(body, word):
		m.t.Errorf("asked with %s, got %d with %q and %.80q", word, resp.StatusCode, got, body)
	}
}

// upgrade asks for a tunnel, says something in it and leaves.
func (m *mixture) upgrade(c net.Conn, r *bufio.Reader) {
	word := newWord()
	_, _ = fmt.Fprintf(c, "GET /mult/%s?upgrade HTTP/1.1\r\nHost: h\r\nX-Word: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n%s", word, word, word)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	got := make([]byte, 2*wordLength)
	if n, err := io.ReadFull(r, got); !repeats(string(got[:n]), word) || resp.Header.Get("X-Word") != word {
		m.t.Errorf("a tunnel for %s gave %q (%v)", word, got[:n], err)
	}
}

// streams is a client that speaks HTTP/2, and gives up many requests.
func (m *mixture) streams(requests int) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableCompression: true}
	defer transport.CloseIdleConnections()
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, 4)
	for range requests {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			m.stream(transport)
		})
	}
}

func (m *mixture) stream(transport *http.Transport) {
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	if rand.N(3) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.N(10_000))*time.Microsecond)
	}
	defer cancel()
	word := newWord()
	body := io.MultiReader(strings.NewReader(strings.Repeat(word, rand.N(2)*rand.N(10000))))
	url := "https://" + m.addr + "/mult/" + word + "?" + manners[rand.N(len(manners))]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		m.t.Error(err)
		return
	}
	req.Header.Set("X-Word", word)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return // it left, or the worker's end is the stream's
	}
	defer resp.Body.Close()
	got, _ := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 {
		m.t.Errorf("this is %s", resp.Proto)
	}
	m.check(resp, string(got), word)
}
