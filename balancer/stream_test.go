package balancer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"understudy/fleet"
)

func TestEachPieceReachesTheClientBeforeTheNextIsWritten(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
	}{
		{"server-sent events", http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}},
		{"chunked", http.Header{"Content-Type": {"text/plain"}}},
		{"of known length", http.Header{"Content-Length": {"12"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			next := make(chan string)
			w.worker("general", func(rw http.ResponseWriter, _ *http.Request) {
				for name, values := range tt.header {
					rw.Header()[name] = values
				}
				rw.(http.Flusher).Flush()
				for piece := range next {
					fmt.Fprint(rw, piece)
					rw.(http.Flusher).Flush()
				}
			})
			_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
			if tt.header.Get("Content-Length") != "" {
				next <- "piece" // with a known length the head may wait for the body
			}
			resp, err := http.ReadResponse(r, nil) // the head comes while there is no body yet
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			pieces := []string{"piece", "another"}
			for i, piece := range pieces {
				if i > 0 || tt.header.Get("Content-Length") == "" {
					next <- piece
				}
				got := make([]byte, len(piece))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != piece {
					t.Fatalf("got %q %v", got, err)
				}
			}
			close(next)
			if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
				t.Errorf("rest %q, %v", rest, err)
			}
		})
	}
}

func TestTrailersArrive(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"announced", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Trailer", "Grpc-Status")
			fmt.Fprint(rw, "body")
			rw.Header().Set("Grpc-Status", "0")
		}},
		{"not announced", func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, "body")
			rw.(http.Flusher).Flush()
			rw.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			w.worker("general", tt.handler)
			resp, text := w.get("/mult")
			if text != "body" || resp.Trailer.Get("Grpc-Status") != "0" || resp.Header.Get("Grpc-Status") != "" {
				t.Errorf("body %q, trailer %v", text, resp.Trailer)
			}
		})
	}
}

func TestRequestTrailersReachTheWorker(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(rw, "%s %s", body, r.Trailer.Get("X-Sum"))
	})
	_, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); string(text) != "hi 42" {
		t.Errorf("got %q", text)
	}
}

func TestEarlyHintsArePassedOnWithoutWhatConcernsTheConnection(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n"+
				"HTTP/1.1 199 Private\r\nLink: </secret>\r\n\r\n"+
				"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Final: 1\r\n\r\nok")
		}
	})})
	var hints []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		names := []string{fmt.Sprint(code)}
		for name, values := range header {
			names = append(names, name+"="+strings.Join(values, ","))
		}
		slices.Sort(names)
		hints = append(hints, strings.Join(names, " "))
		return nil
	}}
	req := w.request(http.MethodGet, "/mult", "")
	resp, text := w.fetch(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if len(hints) != 1 || hints[0] != "103 Link=</a.css>" {
		t.Errorf("hints %q", hints)
	}
	if text != "ok" || resp.Header.Get("X-Final") != "1" || resp.Header.Get("X-Understudy-Worker") == "" || resp.Header.Get("Link") != "" {
		t.Errorf("got %q %v", text, resp.Header)
	}
}

func TestAWorkerThatNeverGetsToItsAnswerIs502(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	closed := make(chan struct{})
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		defer close(closed)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		for range 10000 {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, r)
	})})
	resp, text := w.post("/mult", "hi")
	if p := problemOfResponse(t, resp, text); p.Code != "worker-failed" || !strings.Contains(p.Detail, "interim") {
		t.Errorf("got %+v", p)
	}
	wait(t, closed, "the connection to the worker to be closed")
}

func TestAnAnswerThatBreaksOffIsNeverTakenForAWholeOne(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf"},
		{"in a chunk's size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n"},
		{"before the first byte", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
				if _, err := http.ReadRequest(r); err == nil {
					_, _ = io.WriteString(c, tt.answer)
				}
			})})
			_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
			resp, err := http.ReadResponse(r, nil)
			if err == nil {
				defer resp.Body.Close()
				var text []byte
				text, err = io.ReadAll(resp.Body)
				if err == nil {
					t.Errorf("the client got a whole answer: %q", text)
				}
			}
			if got := wait(t, w.records.finished, "the record"); got.code != 502 {
				t.Errorf("recorded as %d", got.code)
			}
			if w.records.of("lost general worker_failed") != 1 {
				t.Error("not counted as lost")
			}
			if one := wait(t, w.balancer.health.suspects, "a suspect"); one.ID != "w1" {
				t.Errorf("the suspect is %s", one)
			}
			until(t, "the slot is free", w.idle)
		})
	}
}

func TestAnswersThatHaveNoBodyKeepTheConnectionInOrder(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/mult/204":
			rw.WriteHeader(204)
		case "/mult/304":
			rw.Header().Set("Etag", `"x"`)
			rw.WriteHeader(304)
		default:
			rw.Header().Set("Content-Length", "5")
			fmt.Fprint(rw, "hello")
		}
	})
	c, r := w.dial("")
	for _, tt := range []struct {
		method, path, body string
		status             int
		length             int64
	}{
		{"HEAD", "/mult", "", 200, 5}, {"GET", "/mult/204", "", 204, 0}, {"GET", "/mult/304", "", 304, 0}, {"HEAD", "/mult/304", "", 304, 0},
		{"GET", "/mult", "hello", 200, 5},
	} {
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: h\r\n\r\n", tt.method, tt.path)
		resp, err := http.ReadResponse(r, &http.Request{Method: tt.method})
		if err != nil {
			t.Fatalf("%s %s: %v", tt.method, tt.path, err)
		}
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != tt.status || string(text) != tt.body || resp.ContentLength != tt.length && tt.status == 200 {
			t.Errorf("%s %s: %d %q length %d", tt.method, tt.path, resp.StatusCode, text, resp.ContentLength)
		}
		if n := r.Buffered(); n > 0 {
			t.Errorf("%s %s: %d bytes too many", tt.method, tt.path, n)
		}
	}
}

func TestWhatAWorkerSendsTooMuchReachesNobody(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"); err != nil {
				return
			}
		}
	})})
	for i := range 300 {
		body := strings.Repeat("x", i%2) // GET and POST: on a connection that is given up nothing was written, so both go on another
		if resp, text := w.fetch(w.request([]string{"GET", "POST"}[i%2], "/mult", body)); resp.StatusCode != 200 || text != "ok" {
			t.Fatalf("got %d %q", resp.StatusCode, text)
		}
	}
}

func TestAnswersHTTPDoesNotAllowAre502(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"garbage", "hello\r\n\r\n"},
		{"a status that is none", "HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n"},
		{"a head that is too large", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 200<<10) + "\r\n\r\n"},
		{"an encoding nobody knows", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"},
		{"a switch nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			closed := make(chan struct{})
			w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
				defer close(closed)
				if _, err := http.ReadRequest(r); err == nil {
					_, _ = io.WriteString(c, tt.answer)
					_, _ = io.Copy(io.Discard, r)
				}
			})})
			resp, text := w.post("/mult", "hi")
			if p := problemOfResponse(t, resp, text); resp.StatusCode != 502 || p.Code != "worker-failed" {
				t.Errorf("got %d %+v", resp.StatusCode, p)
			}
			wait(t, closed, "the connection to the worker to be closed")
			until(t, "the slot is free", w.idle)
		})
	}
}

func TestNoContentTypeIsMadeUp(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header()["Content-Type"] = nil
		fmt.Fprint(rw, "<html>")
	})
	if resp, _ := w.get("/mult"); resp.Header["Content-Type"] != nil {
		t.Errorf("content type %q", resp.Header["Content-Type"])
	}
}
