package balancer

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/config/pairtest"
	"understudy/fleet"
)

// secure puts a certificate into force for the world's connections from now on.
func (w *world) secure(name string) config.TLS {
	w.t.Helper()
	cert, key := pairtest.Files(w.t, w.t.TempDir(), name)
	files := config.TLS{Cert: cert, Key: key}
	if err := w.balancer.LoadCertificate(files); err != nil {
		w.t.Fatal(err)
	}
	return files
}

// dialTLS opens an encrypted connection to the world.
func (w *world) dialTLS(c *tls.Config) (*tls.Conn, error) {
	w.t.Helper()
	c.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", w.addr, c)
	if err != nil {
		return nil, err
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// subject is the name in the certificate that a new connection sees.
func (w *world) subject() string {
	w.t.Helper()
	c, err := w.dialTLS(&tls.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// secureClient speaks HTTPS as a browser does, or HTTP/1.1 alone.
func secureClient(t *testing.T, files config.TLS, h2 bool) *http.Client {
	t.Helper()
	text, err := os.ReadFile(files.Cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: h2, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestClientsAreServedOverTLSByEitherVersionOfHTTP(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rw.Header().Set("Seen-Proto", r.Header.Get("X-Forwarded-Proto"))
		rw.Header().Set("Seen-Host", r.Header.Get("X-Forwarded-Host"))
		_, _ = rw.Write(body)
	})
	files := w.secure("me")
	for proto, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		client := secureClient(t, files, h2)
		for _, size := range []int{0, 10, 300 << 10} {
			resp, err := client.Post("https://"+w.addr+"/mult", "text/plain", strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || len(text) != size || resp.Proto != proto || resp.StatusCode != 200 {
				t.Errorf("%s: got %s %d, %d bytes of %d, %v", proto, resp.Proto, resp.StatusCode, len(text), size, err)
			}
			if p, h := resp.Header.Get("Seen-Proto"), resp.Header.Get("Seen-Host"); p != "https" || h != w.addr {
				t.Errorf("%s: the worker saw %s of %s", proto, p, h)
			}
		}
	}
}

func TestACertificateIsRenewedForTheNextConnectionAndABadOneIsNot(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	files := w.secure("old")
	client := secureClient(t, files, true)
	ask := func() error {
		resp, err := client.Get("https://" + w.addr + "/mult")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := ask(); err != nil || w.subject() != "old" {
		t.Fatal(err)
	}
	dir := strings.TrimSuffix(files.Cert, "/cert.pem")
	pairtest.Files(t, dir, "new")
	if w.subject() != "old" {
		t.Error("renewed before anybody asked for it")
	}
	before := w.balancer.tls.Load()
	if err := w.balancer.LoadCertificate(files); err != nil || w.subject() != "new" || w.balancer.tls.Load() == before {
		t.Errorf("after the renewal: %v, %s", err, w.subject())
	}
	if err := ask(); err != nil {
		t.Errorf("on the connection that was open: %v", err)
	}
	same := w.balancer.tls.Load()
	if err := w.balancer.LoadCertificate(files); err != nil || w.balancer.tls.Load() != same {
		t.Errorf("the same pair again made something new: %v", err)
	}
	if err := os.WriteFile(files.Key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := w.balancer.LoadCertificate(files)
	if wrong, ok := errors.AsType[*config.PairError](err); !ok || wrong.Key != "tls.key" || w.subject() != "new" {
		t.Errorf("a bad pair: %v, %s", err, w.subject())
	}
	if err := w.balancer.LoadCertificate(config.TLS{}); err != nil {
		t.Fatal(err)
	}
	if resp, _ := w.get("/mult"); resp.StatusCode != 200 {
		t.Errorf("in plain again: %d", resp.StatusCode)
	}
}

func TestAClientThatSpeaksPlainHTTPIsToldSo(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.secure("me")
	_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if p := problemOfResponse(t, resp, string(text)); err != nil || resp.StatusCode != 400 || p.Code != "https-required" || !resp.Close {
		t.Errorf("got %d %+v %v", resp.StatusCode, p, err)
	}
	_, r = w.dial("\x00\x01\x02\x03\x04\x05 neither of them")
	if text, _ := io.ReadAll(r); strings.Contains(string(text), "HTTP") {
		t.Errorf("to nonsense it says %q", text)
	}
}

func TestTheLowestVersionOfTLSIsKept(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	files := w.secure("me")
	for _, c := range []struct {
		least  string
		spoken uint16
		ok     bool
	}{
		{"1.2", tls.VersionTLS11, false}, {"1.2", tls.VersionTLS12, true}, {"1.3", tls.VersionTLS12, false}, {"1.3", tls.VersionTLS13, true},
	} {
		files.MinVersion = c.least
		if err := w.balancer.LoadCertificate(files); err != nil {
			t.Fatal(err)
		}
		if _, err := w.dialTLS(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: c.spoken}); (err == nil) != c.ok {
			t.Errorf("at least %s, %s: %v", c.least, tls.VersionName(c.spoken), err)
		}
	}
}

func TestAHandshakeThatIsTooSlowEndsTheConnection(t *testing.T) {
	cert, key := pairtest.Files(t, t.TempDir(), "me")
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Fleet: fleetOf(testConfig().Pools), Config: testConfig()})
		if err := b.LoadCertificate(config.TLS{Cert: cert, Key: key}); err != nil {
			t.Fatal(err)
		}
		s := b.Server()
		s.HandshakeTimeout = 3 * time.Second
		client, conn := net.Pipe()
		idle, other := net.Pipe()
		ended := serving(s, newScripted(conn, other))
		began := time.Now()
		_, _ = client.Write([]byte{22, 3, 1})
		_, _ = io.Copy(io.Discard, client)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		_, _ = io.Copy(io.Discard, idle)
		s.Close()
		<-ended
	})
}

func TestCloseEndsAHandshake(t *testing.T) {
	cert, key := pairtest.Files(t, t.TempDir(), "me")
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Fleet: fleetOf(testConfig().Pools), Config: testConfig()})
		if err := b.LoadCertificate(config.TLS{Cert: cert, Key: key}); err != nil {
			t.Fatal(err)
		}
		s := b.Server()
		client, conn := net.Pipe()
		ended := serving(s, newScripted(conn))
		_, _ = client.Write([]byte{22, 3})
		began := time.Now()
		s.Close()
		if _, err := client.Read(make([]byte, 1)); err == nil || time.Since(began) > 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		<-ended
	})
}

func TestTheTimeOfAHandshakeIsOverWithIt(t *testing.T) {
	cert, key := pairtest.Files(t, t.TempDir(), "me")
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Fleet: fleetOf(testConfig().Pools), Config: testConfig()})
		if err := b.LoadCertificate(config.TLS{Cert: cert, Key: key}); err != nil {
			t.Fatal(err)
		}
		s := b.Server()
		s.HeaderTimeout = 0
		client, conn := net.Pipe()
		ended := serving(s, newScripted(conn))
		c := tls.Client(client, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}) // 1.3 would leave tickets for someone to read
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * handshakeTimeout)
		go func() { _, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n") }()
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 200 {
			t.Errorf("got %v %v", resp, err)
		}
		client.Close()
		s.Close()
		<-ended
	})
}

func TestAWebSocketRunsOverTLS(t *testing.T) {
	w := newWorld(t, pool("general", "chat"))
	w.add(fleet.Info{Pool: "general", Address: switching(t, func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(c, r) })})
	w.secure("me")
	c, err := w.dialTLS(&tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, wantsWebSocket+"hello")
	r := bufio.NewReader(c)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v %v", resp, err)
	}
	text := make([]byte, len("first hello"))
	if _, err := io.ReadFull(r, text); err != nil || string(text) != "first hello" {
		t.Errorf("got %q %v", text, err)
	}
	_ = c.CloseWrite()
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after the client's end: %q %v", rest, err)
	}
}
