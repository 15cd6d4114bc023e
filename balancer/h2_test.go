package balancer

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"understudy/config"
	"understudy/fleet"
)

// frames is a client that speaks HTTP/2 frame by frame.
type frames struct {
	t    *testing.T
	conn net.Conn
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

// frames opens a connection; the settings are what the client allows the server.
func (w *world) frames(settings ...http2.Setting) *frames {
	w.t.Helper()
	c, err := w.dialTLS(&tls.Config{NextProtos: []string{"h2"}})
	if err != nil || c.ConnectionState().NegotiatedProtocol != "h2" {
		w.t.Fatal("no HTTP/2", err)
	}
	f := &frames{t: w.t, conn: c, Framer: http2.NewFramer(c, c)}
	f.AllowIllegalWrites = true
	f.enc = hpack.NewEncoder(&f.block)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		w.t.Fatal(err)
	}
	if err := f.WriteSettings(settings...); err != nil {
		w.t.Fatal(err)
	}
	return f
}

// head encodes fields, name after value.
func (f *frames) head(fields ...string) []byte {
	f.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // a Buffer takes everything
	}
	return slices.Clone(f.block.Bytes())
}

// ask begins a stream.
func (f *frames) ask(stream uint32, end bool, fields ...string) error {
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.head(fields...), EndStream: end, EndHeaders: true})
}

// get is a whole request of one capability, with more fields.
func get(path string, more ...string) []string {
	return append([]string{":method", "GET", ":scheme", "https", ":authority", "h", ":path", path}, more...)
}

// answer is how a stream ended: its status, or the code it was reset with, or what ended the connection.
func (f *frames) answer(stream uint32) (status int, reset http2.ErrCode, err error) {
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return status, 0, err
		}
		switch frame := frame.(type) {
		case *http2.GoAwayFrame:
			return 0, 0, http2.GoAwayError{ErrCode: frame.ErrCode}
		case *http2.RSTStreamFrame:
			if frame.StreamID == stream {
				return status, frame.ErrCode, nil
			}
		case *http2.MetaHeadersFrame:
			if frame.StreamID != stream {
				continue
			}
			status, _ = strconv.Atoi(frame.PseudoValue("status"))
			if frame.StreamEnded() {
				return status, 0, nil
			}
		case *http2.DataFrame:
			if frame.StreamID == stream && frame.StreamEnded() {
				return status, 0, nil
			}
		}
	}
}

func TestHTTP2BoundsWhatAConnectionMayHaveOpen(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.secure("me")
	f := w.frames()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		s, ok := frame.(*http2.SettingsFrame)
		if !ok {
			continue
		}
		for id, want := range map[http2.SettingID]uint32{
			http2.SettingMaxConcurrentStreams: mostStreams, http2.SettingInitialWindowSize: streamBytes, http2.SettingMaxHeaderListSize: 32<<10 + 320,
		} {
			if got, ok := s.Value(id); !ok || got != want {
				t.Errorf("%v is %d, want %d", id, got, want)
			}
		}
		return
	}
}

func TestWhatHTTP11CannotCarryIsRefusedOrMadeToFit(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.secure("me")
	seen := make(chan []string, 1)
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		var lines []string
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line = strings.TrimSuffix(line, "\r\n"); line != "" {
				lines = append(lines, line)
				continue
			}
			seen <- lines
			lines = nil
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})})
	with := func(pairs ...string) []string { // get with some fields changed
		fields := get("/mult")
		for i := 0; i < len(pairs); i += 2 {
			if at := slices.Index(fields, pairs[i]); strings.HasPrefix(pairs[i], ":") && at >= 0 {
				fields[at+1] = pairs[i+1]
				continue
			}
			fields = append(fields, pairs[i], pairs[i+1])
		}
		return fields
	}
	for _, tt := range []struct {
		name   string
		fields []string
		status int // 0: the stream or the connection is ended
		sent   string
	}{
		{"a plain one", get("/mult?a=b"), 200, "GET /mult?a=b HTTP/1.1"},
		{"a space in the path", get("/mult HTTP/1.1"), 400, ""},
		{"a space in the query", get("/mult?a b"), 400, ""},
		{"a method that is none", with(":method", "GET /x HTTP/1.1"), 400, ""},
		{"a method of its own", with(":method", "BREW"), 200, "BREW /mult HTTP/1.1"},
		{"the preface as a request", with(":method", "PRI"), 505, ""},
		{"CONNECT", []string{":method", "CONNECT", ":authority", "h:443"}, 405, ""},
		{"TRACE", with(":method", "TRACE"), 405, ""},
		{"an upgrade within HTTP/2", with(":method", "CONNECT", ":protocol", "websocket"), 0, ""},
		{"another scheme", with(":scheme", "http"), 200, "X-Forwarded-Proto: https"},
		{"a line break in a value", with("x-a", "b\r\nEvil: 1"), 0, ""},
		{"a line break in the path", get("/mult\r\nEvil: 1"), 0, ""},
		{"space around a value", with("x-a", " b\t "), 200, "X-A: b"},
		{"an empty name", with("", "b"), 0, ""},
		{"a name with a space", with("x a", "b"), 0, ""},
		{"a name with a colon", with("x-a:", "b"), 0, ""},
		{"a name in capitals", with("X-A", "b"), 0, ""},
		{"connection", with("connection", "close"), 400, ""},
		{"an upgrade", with("connection", "upgrade", "upgrade", "websocket"), 400, ""},
		{"transfer-encoding", with("transfer-encoding", "chunked"), 400, ""},
		{"a host that is the authority", with("host", "H"), 200, "Host: h"},
		{"a host that is not", with("host", "evil"), 400, ""},
		{"a length without a body", with("content-length", "10"), 400, ""},
		{"a length of nothing", with("content-length", "0"), 200, "GET /mult HTTP/1.1"},
		{"cookies in crumbs", with("cookie", "a=1", "cookie2", "b"), 200, "Cookie: a=1"},
		{"a forged address", with("x-forwarded-for", "1.2.3.4"), 200, "X-Forwarded-For: 127.0.0.1"},
		{"a path that is a URL", get("https://evil/mult"), 200, "GET /mult HTTP/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := w.frames()
			if err := f.ask(1, true, tt.fields...); err != nil {
				t.Fatal(err)
			}
			status, reset, err := f.answer(1)
			if tt.status == 0 && (status != 0 || reset == 0 && err == nil) || tt.status != status {
				t.Errorf("got %d %v %v", status, reset, err)
			}
			if tt.sent == "" {
				if len(seen) > 0 {
					t.Errorf("the worker got %q", <-seen)
				}
				return
			}
			lines := wait(t, seen, "the worker")
			hosts := 0
			for _, line := range lines {
				if name, _, _ := strings.Cut(line, ":"); strings.EqualFold(name, "host") {
					hosts++
				}
			}
			if !slices.Contains(lines, tt.sent) || hosts != 1 {
				t.Errorf("the worker got %q", lines)
			}
		})
	}
}

func TestNothingIsLeftThatAWorkerWouldReadInAnotherWay(t *testing.T) {
	r := &http.Request{
		Method: "POST", RequestURI: "/mult", Host: "h", ContentLength: 5,
		Header: http.Header{"Host": {"h"}, "Content-Length": {"5"}, "X-A": {"\t b", "c "}},
	}
	if wrong := fromH2(r); wrong != "" {
		t.Error(wrong)
	}
	if len(r.Header) != 1 || !slices.Equal(r.Header["X-A"], []string{"b", "c"}) {
		t.Errorf("left is %v", r.Header)
	}
	for name, value := range map[string]string{"": "b", "X A": "b", "X-A": "b\r\nEvil: 1", "X-B": "\x00", "Host": "evil", "Content-Length": "6"} {
		bad := &http.Request{Method: "POST", RequestURI: "/mult", Host: "h", ContentLength: 5, Header: http.Header{name: {value}}}
		if fromH2(bad) == "" {
			t.Errorf("%q: %q passes", name, value)
		}
	}
}

func TestAnHTTP2ClientThatTakesNothingIsCutOff(t *testing.T) {
	limits := config.Limits{Header: 32 << 10, Idle: 100 * time.Millisecond}
	w := newWorldWith(t, config.Config{Instance: "test", Limits: limits, Pools: []config.Pool{pool("general", "mult")}})
	w.secure("me")
	w.worker("general", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(rw, zeros{}) })
	f := w.frames(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	if err := f.ask(1, true, get("/mult")...); err != nil {
		t.Fatal(err)
	}
	if _, reset, err := f.answer(1); reset == 0 && err == nil {
		t.Error("the stream ended well")
	}
	if got := wait(t, w.records.finished, "the record"); got.code != 499 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
}

func TestAnHTTP2ClientThatTakesItsRequestBackIsGone(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.secure("me")
	w.worker("general", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	f := w.frames()
	for i, length := range []string{"10", "1000000", ""} {
		fields := get("/mult")
		fields[1] = "POST"
		if length != "" {
			fields = append(fields, "content-length", length)
		}
		stream := uint32(2*i + 1)
		if err := errors.Join(f.ask(stream, false, fields...), f.WriteData(stream, false, []byte("some"))); err != nil {
			t.Fatal(err)
		}
		if length != "10" { // a small body is read before a worker is asked
			until(t, "the worker has it", func() bool { return !w.idle() })
		}
		if err := f.WriteRSTStream(stream, http2.ErrCodeCancel); err != nil {
			t.Fatal(err)
		}
		if got := wait(t, w.records.finished, "the record"); got.code != 499 {
			t.Errorf("with length %q recorded as %d", length, got.code)
		}
		until(t, "the slot is free", w.idle)
	}
	if w.records.total("lost") > 0 || w.records.total("retry") > 0 {
		t.Errorf("the worker is blamed: %v", w.records.counts)
	}
}

// flood runs a client that misbehaves until the server ends its connection, and then looks whether others are served.
func flood(t *testing.T, w *world, send func(f *frames, round uint32) error, rounds uint32) (sent uint32) {
	t.Helper()
	f := w.frames()
	stop, drained := make(chan struct{}), make(chan struct{})
	go func() { // nobody here looks at the records, and there is not room for all
		defer close(drained)
		for {
			select {
			case <-w.records.finished:
			case <-stop:
				return
			}
		}
	}()
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := f.ReadFrame(); err != nil {
				ended <- err
				return
			}
		}
	}()
	for sent < rounds && send(f, sent) == nil {
		sent++
	}
	f.conn.Close()
	wait(t, ended, "the end of the connection")
	close(stop)
	<-drained
	until(t, "nothing is left of it", w.idle)
	other := w.frames()
	if err := other.ask(1, true, get("/mult")...); err != nil {
		t.Fatal(err)
	}
	if status, _, err := other.answer(1); status != 200 {
		t.Errorf("another client got %d %v", status, err)
	}
	return sent
}

func TestRapidResetsAreBounded(t *testing.T) {
	p := pool("general", "mult")
	p.Concurrency = 1000
	w := newWorld(t, p)
	w.secure("me")
	var at atomic.Int64
	var most atomic.Int64
	w.worker("general", func(_ http.ResponseWriter, r *http.Request) {
		for now := at.Add(1); ; {
			if m := most.Load(); now <= m || most.CompareAndSwap(m, now) {
				break
			}
		}
		_, _ = io.Copy(io.Discard, r.Body)
		at.Add(-1)
	})
	rounds := uint32(often(100_000, 10_000))
	sent := flood(t, w, func(f *frames, round uint32) error {
		stream := 2*round + 1
		return errors.Join(f.ask(stream, true, get("/mult")...), f.WriteRSTStream(stream, http2.ErrCodeCancel))
	}, rounds)
	if n := most.Load(); n > 2*mostStreams {
		t.Errorf("the worker had %d at a time", n)
	}
	t.Logf("the client could send %d of %d", sent, rounds)
}

func TestAFloodOfContinuationsEndsTheConnection(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.secure("me")
	w.worker("general", echo)
	const rounds = 100_000
	sent := flood(t, w, func(f *frames, round uint32) error {
		if round == 0 {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.head(get("/mult")...), EndStream: true})
		}
		return f.WriteContinuation(1, false, f.head("x-"+strconv.Itoa(int(round)), strings.Repeat("a", 1000)))
	}, rounds)
	if sent == rounds {
		t.Error("it could go on for ever")
	}
}
