package balancer

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet/clocktest"
)

func TestAClientThatSendsTooManyIsToldWhenTheNextMayCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Limits.PerClient = config.PerClient{Rate: 0.25, Burst: 2}
		cfg.TrustedProxies = []string{"10.0.0.0/8"}
		records := newRecords()
		b := New(Options{Fleet: fleetOf(cfg.Pools), Config: cfg, Recorder: records})
		ask := func(path, remote, forwarded string) (status int, retry string) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = remote
			r.Header.Set("X-Forwarded-For", forwarded)
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if w.Code == 429 {
				problemOfResponse(t, w.Result(), w.Body.String())
			}
			return w.Code, w.Header().Get("Retry-After")
		}
		for i, step := range []struct {
			after                   time.Duration
			path, remote, forwarded string
			status                  int
			retry                   string
		}{
			{0, "/", "192.0.2.1:1", "", 200, ""},
			{0, "/none", "192.0.2.1:2", "5.5.5.5", 404, ""}, // what is no capability counts, and who claims to be another does not become it
			{0, "/", "192.0.2.1:3", "6.6.6.6", 429, "4"},
			{time.Second, "/mult", "[::ffff:192.0.2.1]:3", "", 429, "3"},
			{0, "/", "192.0.2.2:1", "", 200, ""},
			{2 * time.Second, "/none", "192.0.2.1:1", "", 429, "1"},
			{time.Second, "/", "192.0.2.1:1", "", 200, ""}, // to be refused has cost nothing
			{0, "/", "192.0.2.1:1", "", 429, "4"},
			{time.Hour, "/", "192.0.2.1:1", "", 200, ""},
			{0, "/", "192.0.2.1:1", "", 200, ""},
			{0, "/", "192.0.2.1:1", "", 429, "4"},

			{0, "/", "10.0.0.1:1", "198.51.100.1", 200, ""}, // behind a proxy of ours, each by itself
			{0, "/", "10.0.0.1:1", "9.9.9.9, 198.51.100.1", 200, ""},
			{0, "/", "10.0.0.2:1", "198.51.100.1", 429, "4"},
			{0, "/", "10.0.0.2:1", "198.51.100.2", 200, ""},

			{0, "/", "[2001:db8::1]:1", "", 200, ""}, // one /64 is one client
			{0, "/", "[2001:db8::2]:1", "", 200, ""},
			{0, "/", "[2001:db8::ffff:3]:1", "", 429, "4"},
			{0, "/", "[2001:db8:0:1::1]:1", "", 200, ""},
		} {
			<-time.After(step.after)
			if status, retry := ask(step.path, step.remote, step.forwarded); status != step.status || retry != step.retry {
				t.Errorf("step %d: got %d %q, want %d %q", i, status, retry, step.status, step.retry)
			}
		}
		if n := records.of("shed general too-many-requests"); n != 1 || records.total("shed") != 1 {
			t.Errorf("counted %v", records.counts)
		}
	})
}

func TestAClientsLimitIsTheSameWhoeverSetsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock clocktest.Clock
		th := newThrottle(config.PerClient{Rate: 0.5, Burst: 1})
		client := netip.MustParseAddr("192.0.2.1")
		for _, by := range []time.Duration{0, time.Hour, -time.Hour, 0} {
			clock.Set(by)
			if wait := th.take(client, clock.Now()); wait != 0 {
				t.Errorf("set by %v: a request that may come is told to wait for %v", by, wait)
			}
			clock.Set(-by)
			if wait := th.take(client, clock.Now()); wait != 2*time.Second {
				t.Errorf("set by %v: the next may come in %v instead of 2s", -by, wait)
			}
			<-time.After(2 * time.Second)
		}
	})
}

func TestAReloadForgetsNobodyUnlessTheLimitsChange(t *testing.T) {
	cfg := testConfig()
	cfg.Limits.PerClient = config.PerClient{Rate: 1}
	b := New(Options{Fleet: fleetOf(cfg.Pools), Config: cfg})
	first := b.settings.Load().throttle
	same := *cfg
	same.Limits.Body = 5
	b.SetConfig(&same)
	if b.settings.Load().throttle != first {
		t.Error("another throttle for the same limits")
	}
	for _, p := range []config.PerClient{{Rate: 2}, {Rate: 2, Burst: 9}, {}, {Rate: 1}} {
		before := b.settings.Load().throttle
		other := *cfg
		other.Limits.PerClient = p
		b.SetConfig(&other)
		if now := b.settings.Load().throttle; now == before || (now == nil) != (p.Rate == 0) {
			t.Errorf("%+v: %v", p, now)
		}
	}
}

func TestAThrottleRemembersABoundedNumberOfClients(t *testing.T) {
	th := newThrottle(config.PerClient{Rate: 1})
	th.most = 100
	now := time.Unix(0, 0)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range 1000 {
		if wait := th.take(address(i), now); wait != 0 {
			t.Fatalf("the first of client %d waits %v", i, wait)
		}
		if wait := th.take(address(0), now); i > 0 && wait != time.Second {
			t.Fatalf("client 0, who is always there, is forgotten: %v", wait)
		}
	}
	if len(th.clients) != 100 || th.recent.Len() != 100 {
		t.Errorf("%d are remembered, %d listed", len(th.clients), th.recent.Len())
	}
	if th.take(address(999), now) == 0 || th.take(address(1), now) != 0 {
		t.Error("the wrong ones were forgotten")
	}
}

func TestAClientsConnectionsAreBoundedEachClientsByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Limits.PerClient.Connections = 2
		cfg.TrustedProxies, cfg.ProxyProtocol.From = []string{"10.0.0.0/8"}, []string{"172.16.0.0/12"}
		records := newRecords()
		b := New(Options{Fleet: fleetOf(cfg.Pools), Config: cfg, Recorder: records})
		s := b.Server()
		l := newScripted()
		l.steps = make(chan any)
		ended := serving(s, l)
		var open []net.Conn
		served := func(remote, header string) bool {
			client, conn := net.Pipe()
			l.steps <- from(conn, remote)
			open = append(open, client)
			if _, err := io.WriteString(client, header+"GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				return false
			}
			n, _ := client.Read(make([]byte, 4<<10))
			return n > 0
		}
		for i, step := range []struct {
			remote, header string
			want           bool
		}{
			{"192.0.2.1:1", "", true}, {"192.0.2.1:2", "", true}, {"192.0.2.1:3", "", false}, {"[::ffff:192.0.2.1]:4", "", false}, {"192.0.2.2:1", "", true},
			{"[2001:db8::1]:1", "", true}, {"[2001:db8::2]:1", "", true}, {"[2001:db8::3]:1", "", false},
			{"10.0.0.1:1", "", true}, {"10.0.0.1:2", "", true}, {"10.0.0.1:3", "", true}, // a proxy's are many clients'
			{"172.16.0.1:1", "PROXY TCP4 198.51.100.1 1.1.1.1 1 1\r\n", true}, {"172.16.0.1:2", "PROXY TCP4 198.51.100.1 1.1.1.1 2 1\r\n", true},
			{"172.16.0.1:3", "PROXY TCP4 198.51.100.1 1.1.1.1 3 1\r\n", false}, {"172.16.0.1:4", "PROXY TCP4 198.51.100.2 1.1.1.1 4 1\r\n", true},
			{"172.16.0.1:5", "PROXY UNKNOWN\r\n", true}, {"172.16.0.1:6", "PROXY UNKNOWN\r\n", true}, {"172.16.0.1:7", "PROXY UNKNOWN\r\n", true},
		} {
			if got := served(step.remote, step.header); got != step.want {
				t.Errorf("step %d, %s: served is %v", i, step.remote, got)
			}
		}
		if n := records.of("refused client"); n != 4 {
			t.Errorf("%d were counted", n)
		}
		_ = open[0].Close()
		synctest.Wait()
		if !served("192.0.2.1:9", "") || served("192.0.2.1:10", "") {
			t.Error("the place of one that left is not free, or more than that")
		}
		for _, c := range open {
			_ = c.Close()
		}
		synctest.Wait()
		if n := len(s.gate.each); n != 0 {
			t.Errorf("%d clients are remembered", n)
		}
		s.Close()
		<-ended
	})
}

func BenchmarkThrottle(b *testing.B) {
	for _, n := range []int{1, mostThrottled} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			th := newThrottle(config.PerClient{Rate: 1000})
			i := 0
			for b.Loop() {
				th.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), time.Now())
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}
