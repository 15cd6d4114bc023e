package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// serve runs the stage's plane on loopback and yields a client of it.
func serve(t *testing.T, s *stage) Client {
	t.Helper()
	server := httptest.NewServer(New(s.Options))
	t.Cleanup(server.Close)
	return Client{Base: server.URL, Token: s.Token}
}

func TestTheClientReadsWhatTheServerWrites(t *testing.T) {
	s := newStage(t)
	s.Token = "s3cret"
	c := serve(t, s)
	p := newView(s.Options)
	p.Ready = func() (bool, string) { return true, "" }
	got, err := c.Status(t.Context())
	if want := p.status(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("status %v\n%+v, want\n%+v", err, got, want)
	}
	list, err := c.Decisions(t.Context(), 5)
	want := p.decisions(5)
	for i := range want.Decisions { // JSON keeps four digits of a share
		for j := range want.Decisions[i].Misses {
			if share := want.Decisions[i].Misses[j]; share.Known() {
				want.Decisions[i].Misses[j] = list.Decisions[i].Misses[j]
			}
		}
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("decisions %v\n%+v, want\n%+v", err, list, want)
	}
}

func TestTheClientCanDoWhatTheServerCan(t *testing.T) {
	s := newStage(t)
	s.add(t, infoOf("http://a/b c"))
	c := serve(t, s)
	if err := c.Drain(t.Context(), "http://a/b c"); err != nil || len(s.drained) != 1 {
		t.Errorf("drain: %v, drained %v", err, s.drained)
	}
	var b strings.Builder
	if err := c.Logs(t.Context(), "general", false, &b); err != nil || b.String() != "w1 | hello\n" {
		t.Errorf("logs: %q %v", b.String(), err)
	}
	if err := c.Quit(t.Context()); err != nil || s.quits != 1 {
		t.Errorf("quit: %v, %d times", err, s.quits)
	}
}

func TestFollowingLogsEndsWithTheCallerAndIsNoError(t *testing.T) {
	s := newStage(t)
	left := make(chan struct{})
	s.Logs = func(ctx context.Context, _ string, _ bool, w io.Writer) error {
		defer close(left)
		io.WriteString(w, "first\n")
		<-ctx.Done()
		return ctx.Err()
	}
	c := serve(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	w := writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil })
	if err := c.Logs(ctx, "general", true, w); err != nil {
		t.Errorf("logs: %v", err)
	}
	<-left // the server noticed
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestLogsThatCannotBeWrittenAreAnError(t *testing.T) {
	c := serve(t, newStage(t))
	if err := c.Logs(t.Context(), "general", false, full{}); !errors.Is(err, errTest) {
		t.Errorf("%v, want %v", err, errTest)
	}
}

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// sentence is a client in trouble and how its error begins; BASE stands for the client's.
type sentence struct {
	name   string
	client func(*testing.T) Client
	want   string
}

// answering is a client of something that answers like this.
func answering(h http.HandlerFunc) func(*testing.T) Client {
	return func(t *testing.T) Client {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return Client{Base: server.URL}
	}
}

// guarded is a client that sends this token to a plane that wants another.
func guarded(token string) func(*testing.T) Client {
	return func(t *testing.T) Client {
		s := newStage(t)
		s.Token = "right"
		c := serve(t, s)
		c.Token = token
		return c
	}
}

// unanswered are those that never get to a balancer, or not past its door.
func unanswered() []sentence {
	return []sentence{
		{"nobody listens", func(t *testing.T) Client { return Client{Base: "http://" + closedPort(t)} },
			"no balancer answers at BASE; start one with `understudy balancer` or give --admin"},
		{"no such host", func(*testing.T) Client {
			return Client{Base: "http://nowhere.invalid:8081", HTTP: &http.Client{Transport: noSuchHost{}}}
		},
			"no balancer answers at BASE; start one with `understudy balancer` or give --admin"},
		{"not a URL", func(*testing.T) Client { return Client{Base: "http://a b"} }, `the admin address "BASE" is not of the form http://HOST:PORT`},
		{"empty", func(*testing.T) Client { return Client{} }, `the admin address "BASE" is not of the form http://HOST:PORT`},
		{"another scheme", func(*testing.T) Client { return Client{Base: "ftp://localhost"} }, `the admin address "BASE" is not of the form http://HOST:PORT`},
		{"no token", guarded(""), "the balancer at BASE wants its admin token; give it in UNDERSTUDY_ADMIN_TOKEN or with --token"},
		{"wrong token", guarded("wrong"), "the balancer at BASE wants its admin token; give it in UNDERSTUDY_ADMIN_TOKEN or with --token"},
	}
}

// ill are those that get an answer that is of no use.
func ill() []sentence {
	return []sentence{
		{"a problem", answering(func(w http.ResponseWriter, _ *http.Request) {
			problem{Status: 404, Code: "x", Detail: "there is no pool \x1b[1m"}.write(w)
		}), `the balancer at BASE says: there is no pool \x1b[1m`},
		{"something else listens", answering(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", 404) }),
			"what answers at BASE is no understudy balancer: it says 404 Not Found"},
		{"it sends us elsewhere", answering(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://evil.example/", 302) }),
			"what answers at BASE is no understudy balancer: it says 302 Found"},
		{"it hangs up", answering(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "the balancer at BASE gave no proper answer: EOF; check --admin"},
		{"it breaks off", answering(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
		}),
			"the balancer at BASE cut its answer short"},
		{"no JSON", answering(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }), "what answers at BASE is no understudy balancer"},
	}
}

func TestClientErrorsAreOneSentenceThatHelps(t *testing.T) {
	for _, c := range append(unanswered(), ill()...) {
		t.Run(c.name, func(t *testing.T) {
			client := c.client(t)
			_, err := client.Status(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			want := strings.ReplaceAll(c.want, "BASE", client.Base)
			if got := err.Error(); !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
				t.Errorf("%q, want %q", got, want)
			}
			if errors.Is(err, ErrNoBalancer) != strings.HasPrefix(c.want, "no balancer") {
				t.Errorf("errors.Is(%v, ErrNoBalancer) is %v", err, errors.Is(err, ErrNoBalancer))
			}
		})
	}
}

type noSuchHost struct{}

func (noSuchHost) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}
}

type tooSlow struct{}

func (tooSlow) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, context.DeadlineExceeded
}

func TestASlowBalancerAndAnImpatientCallerAreToldApart(t *testing.T) {
	c := Client{Base: "http://127.0.0.1:1", HTTP: &http.Client{Transport: tooSlow{}}}
	if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "did not answer within 10s") {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	if err := serve(t, newStage(t)).Quit(ctx); !errors.Is(err, errTest) {
		t.Errorf("the caller left: %v, want its cause", err)
	}
}

func TestTheTokenGoesNowhereElse(t *testing.T) {
	var seen []*url.URL
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.URL) }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	c := Client{Base: server.URL, Token: "s3cret"}
	if err := c.Quit(t.Context()); err == nil || len(seen) > 0 {
		t.Errorf("%v; asked elsewhere: %v", err, seen)
	}
	if plainHTTP().Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy would see the token")
	}
}

func TestAdminAddressesAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:8081": "http://127.0.0.1:8081", "http://localhost:8081/": "http://localhost:8081", "https://lb.example/admin/": "https://lb.example/admin",
		"0.0.0.0:8081": "http://127.0.0.1:8081", "[::]:8081": "http://[::1]:8081", "http://0.0.0.0": "http://127.0.0.1", "[::1]:8081": "http://[::1]:8081",
		"localhost": "http://localhost", ":8081": "http://127.0.0.1:8081", "http://[::]": "http://[::1]", "": "", "http://": "", "http://x:99999999": "http://x:99999999",
	} {
		got, err := baseURL(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, err, want)
		}
	}
}
