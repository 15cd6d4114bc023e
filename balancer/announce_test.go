package balancer

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
)

// announcedWorld takes PROXY headers from the given networks. Its worker answers with the client's address.
func announcedWorld(t *testing.T, from ...string) *world {
	t.Helper()
	w := newWorldWith(t, config.Config{
		Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: patience}, Pools: []config.Pool{pool("general", "mult")},
		ProxyProtocol: config.ProxyProtocol{From: from},
	})
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, r.Header.Get("X-Forwarded-For"))
	})
	return w
}

const askMult = "GET /mult HTTP/1.1\r\nHost: h\r\n\r\n"

// v2 is a binary header: version and command, family and protocol, and what follows.
func v2(command, family byte, rest ...byte) string {
	head := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family)
	return string(append(binary.BigEndian.AppendUint16(head, uint16(len(rest))), rest...))
}

// addresses of a client and of us, as version 2 has them.
func addresses(client, us string) []byte {
	c, u := netip.MustParseAddrPort(client), netip.MustParseAddrPort(us)
	b := append(c.Addr().AsSlice(), u.Addr().AsSlice()...)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, c.Port()), u.Port())
}

func TestAPROXYHeaderNamesTheClient(t *testing.T) {
	four, six := addresses("192.0.2.1:5000", "192.0.2.9:80"), addresses("[2001:db8::1]:5000", "[2001:db8::9]:80")
	tlv := append([]byte{0xea, 0, 200}, make([]byte, 200)...)
	w := announcedWorld(t, "10.0.0.0/8", "127.0.0.0/8")
	for _, tt := range []struct{ name, header, client string }{
		{"version 1", "PROXY TCP4 192.0.2.1 192.0.2.9 5000 80\r\n", "192.0.2.1"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::9 5000 80\r\n", "2001:db8::1"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", "127.0.0.1"},
		{"version 1, unknown with addresses", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"},
		{"version 2", v2(0x21, 0x11, four...), "192.0.2.1"},
		{"version 2, IPv6", v2(0x21, 0x21, six...), "2001:db8::1"},
		{"version 2, IPv4 in IPv6", v2(0x21, 0x21, addresses("[::ffff:192.0.2.1]:5000", "[::ffff:192.0.2.9]:80")...), "192.0.2.1"},
		{"version 2, with more about it", v2(0x21, 0x11, append(four, tlv...)...), "192.0.2.1"},
		{"version 2, local", v2(0x20, 0x00), "127.0.0.1"},
		{"version 2, local with addresses", v2(0x20, 0x11, four...), "127.0.0.1"},
		{"version 2, a datagram's", v2(0x21, 0x12, four...), "192.0.2.1"},
		{"version 2, a socket that is no IP", v2(0x21, 0x31, make([]byte, 216)...), "127.0.0.1"},

		{"none", "", ""},
		{"something else", "HELO\r\n", ""},
		{"version 1, no address", "PROXY TCP4 a b 1 2\r\n", ""},
		{"version 1, a zero in front", "PROXY TCP4 192.0.2.1 192.0.2.9 05000 80\r\n", ""},
		{"version 1, too much", "PROXY TCP4 192.0.2.1 192.0.2.9 5000 80 81\r\n", ""},
		{"version 1, IPv6 that is called IPv4", "PROXY TCP4 2001:db8::1 2001:db8::9 5000 80\r\n", ""},
		{"version 1, no CR", "PROXY TCP4 192.0.2.1 192.0.2.9 5000 80\n", ""},
		{"version 1, too long", "PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n", ""},
		{"version 3", v2(0x31, 0x11, four...), ""},
		{"version 2, no such command", v2(0x22, 0x11, four...), ""},
		{"version 2, no such family", v2(0x21, 0x41, four...), ""},
		{"version 2, of nobody", v2(0x21, 0x00), ""},
		{"version 2, too short for its family", v2(0x21, 0x21, four...), ""},
		{"version 2, too long", v2(0x21, 0x11, make([]byte, 5000)...), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := w.records.of("refused proxy_header")
			_, r := w.dial(tt.header + askMult)
			resp, err := http.ReadResponse(r, nil)
			if tt.client == "" {
				if err == nil {
					t.Errorf("it was served: %d", resp.StatusCode)
				}
				if got := w.records.of("refused proxy_header"); got != before+1 {
					t.Errorf("counted %d times", got-before)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(resp.Body); err != nil || string(text) != tt.client {
				t.Errorf("the worker saw %q %v", text, err)
			}
		})
	}
}

func TestAPROXYHeaderFromAnybodyElseIsNoHeader(t *testing.T) {
	for name, w := range map[string]*world{"off": announcedWorld(t), "not from here": announcedWorld(t, "10.0.0.0/8")} {
		_, r := w.dial("PROXY TCP4 192.0.2.1 192.0.2.9 5000 80\r\n" + askMult)
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 400 {
			t.Errorf("%s: %v %v", name, resp, err)
		}
		if _, text := w.get("/mult"); text != "127.0.0.1" {
			t.Errorf("%s: without a header the worker saw %q", name, text)
		}
	}
}

func TestAPROXYHeaderStandsBeforeTLS(t *testing.T) {
	w := announcedWorld(t, "127.0.0.0/8")
	w.secure("me")
	plain, _ := w.dial("PROXY TCP4 192.0.2.1 192.0.2.9 5000 80\r\n")
	c := tls.Client(plain, &tls.Config{InsecureSkipVerify: true})
	_, _ = io.WriteString(c, askMult)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); string(text) != "192.0.2.1" {
		t.Errorf("the worker saw %q", text)
	}
}

// addressed gives one end of a pipe the address of a client.
type addressed struct {
	net.Conn
	remote net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.remote }

func from(c net.Conn, address string) net.Conn {
	return addressed{c, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))}
}

func TestAPROXYHeaderThatIsTooSlowEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.ProxyProtocol.From = []string{"10.0.0.0/8"}
		records := newRecords()
		b := New(Options{Fleet: fleetOf(cfg.Pools), Config: cfg, Recorder: records})
		s := b.Server()
		s.AnnounceTimeout = 3 * time.Second
		silent, one := net.Pipe()
		slow, two := net.Pipe()
		mapped, three := net.Pipe()
		ended := serving(s, newScripted(from(one, "10.1.1.1:1"), from(two, "10.1.1.1:2"), from(three, "[::ffff:10.1.1.1]:3")))
		began := time.Now()
		_, _ = io.WriteString(slow, "\r\n\r\n\x00\r\nQUIT")
		for _, c := range []net.Conn{silent, slow, mapped} {
			_, _ = io.Copy(io.Discard, c)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		s.Close()
		<-ended
		if n := records.of("refused proxy_header"); n != 3 {
			t.Errorf("%d were counted", n)
		}
	})
}
