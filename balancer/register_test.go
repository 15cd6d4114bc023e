package balancer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

const form = "application/x-www-form-urlencoded"

// register posts a card to a handler.
func register(h http.Handler, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func cardOf(url, id string) string { return fmt.Sprintf(`{"url":%q,"id":%q}`, url, id) }

func TestCardsAreRead(t *testing.T) {
	tests := []struct {
		name, kind, body string
		want             fleet.Info
	}{
		{"the planner protocol", "application/json", `{"url":"http://10.0.0.1:8080","id":"w1"}`, fleet.Info{Address: "http://10.0.0.1:8080", Concurrency: 1}},
		{"with what is ours", "application/json; charset=utf-8", `{"url":"http://h:8080/base","id":"w1","capabilities":["mult"],"concurrency":3,"more":1}`,
			fleet.Info{Address: "http://h:8080/base", Concurrency: 3, Capabilities: []string{"mult"}}},
		{"without a type", "", `{"url":"http://h","id":"w1"}`, fleet.Info{Address: "http://h", Concurrency: 1}},
		{"a form", form, `url=http%3A%2F%2Fh%3A8080&id=w1`, fleet.Info{Address: "http://h:8080", Concurrency: 1}},
		{"a form with what is ours", form, `url=http://h&id=w1&capabilities=mult,%20add&capabilities=add&concurrency=2`,
			fleet.Info{Address: "http://h", Concurrency: 2, Capabilities: []string{"mult", "add", "add"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, []config.Pool{pool("general", "mult", "add")}, func(t *testing.T, w ward) {
				got := register(w.registry.Register(), tt.kind, tt.body)
				if got.Code != 200 || got.Body.String() != "ok" {
					t.Fatalf("got %d %s", got.Code, got.Body)
				}
				one, state, ok := w.f.Worker("w1")
				if !ok || state != fleet.Starting {
					t.Fatalf("before it answered it is %v %v", state, ok)
				}
				pass(10 * time.Millisecond)
				if w.state("w1") != "active" {
					t.Errorf("after it answered it is %s", w.state("w1"))
				}
				if one.Address != tt.want.Address || one.Concurrency != tt.want.Concurrency || fmt.Sprint(one.Capabilities) != fmt.Sprint(tt.want.Capabilities) ||
					one.Origin != fleet.Registered || one.Pool != "general" || one.Generation == "" {
					t.Errorf("it is %+v", one.Info)
				}
			})
		})
	}
}

func TestBadCardsAreRefused(t *testing.T) {
	tests := []struct {
		name, kind, body string
		status           int
		says             string
	}{
		{"no JSON", "application/json", `url=x`, 400, "must be"},
		{"an empty body", "application/json", ``, 400, "must be"},
		{"a bad form", form, `url=%zz`, 400, "must be"},
		{"a concurrency that is no number", form, `url=http://h&id=a&concurrency=x`, 400, "whole number"},
		{"no url", "application/json", `{"id":"a"}`, 422, "absolute http URL"},
		{"a relative url", "application/json", cardOf("/x", "a"), 422, "absolute http URL"},
		{"no host", "application/json", cardOf("http:///x", "a"), 422, "absolute http URL"},
		{"https", "application/json", cardOf("https://h", "a"), 422, "absolute http URL"},
		{"a file", "application/json", cardOf("file:///etc/passwd", "a"), 422, "absolute http URL"},
		{"a password in the url", "application/json", cardOf("http://u:p@h", "a"), 422, "neither a user"},
		{"a query", "application/json", cardOf("http://h?x", "a"), 422, "nor a query"},
		{"no id", "application/json", cardOf("http://h", ""), 422, "id must be"},
		{"an id with a line end", "application/json", cardOf("http://h", "a\r\nX: y"), 422, "id must be"},
		{"an id with a slash", "application/json", cardOf("http://h", "a/b"), 422, "id must be"},
		{"an id of dots", "application/json", cardOf("http://h", ".."), 422, "id must be"},
		{"a long id", "application/json", cardOf("http://h", strings.Repeat("a", 129)), 422, "id must be"},
		{"a negative concurrency", "application/json", `{"url":"http://h","id":"a","concurrency":-1}`, 422, "concurrency"},
		{"an empty capability", "application/json", `{"url":"http://h","id":"a","capabilities":[""]}`, 422, "capability"},
		{"a capability nobody has", "application/json", `{"url":"http://h","id":"a","capabilities":["nope"]}`, 422, "no pool has any of the capabilities"},
		{"too large", "application/json", `{"url":"http://h","id":"` + strings.Repeat("a", 70<<10) + `"}`, 413, ""},
		{"an id that a worker of ours has", "application/json", cardOf("http://h", "ours"), 409, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, general(), func(t *testing.T, w ward) {
				w.add(t, "ours", fleet.Cold)
				got := register(w.registry.Register(), tt.kind, tt.body)
				var p problemBody
				if err := json.Unmarshal(got.Body.Bytes(), &p); err != nil {
					t.Fatalf("%v in %s", err, got.Body)
				}
				if got.Code != tt.status || p.Status != tt.status || !strings.Contains(p.Detail, tt.says) {
					t.Errorf("got %d %+v", got.Code, p)
				}
				if n := len(w.f.Workers()); n != 1 {
					t.Errorf("%d workers afterwards", n)
				}
				if w.state("ours") != "active" {
					t.Errorf("ours is %s", w.state("ours"))
				}
			})
		})
	}
}

func TestOnlyPOSTRegisters(t *testing.T) {
	b := New(Options{Fleet: fleetOf(general()), Config: &config.Config{Pools: general()}, Prober: newScript()})
	w := httptest.NewRecorder()
	b.Registry().Register().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/register", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	b.Registry().Workers().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/workers", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestRegisteringAgainRefreshesOrReplaces(t *testing.T) {
	const again = `{"url":"http://h/","id":"a"}`
	tests := []struct {
		name, second string
		replaced     bool
	}{
		{"the same", cardOf("http://h", "a"), false},
		{"the same with a slash", again, false},
		{"another url", cardOf("http://elsewhere", "a"), true},
		{"other capabilities", `{"url":"http://h","id":"a","capabilities":["mult"]}`, true},
		{"another concurrency", `{"url":"http://h","id":"a","concurrency":4}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, general(), func(t *testing.T, w ward) {
				register(w.registry.Register(), "", cardOf("http://h", "a"))
				pass(10 * time.Millisecond)
				first, _, _ := w.f.Worker("a")
				if got := register(w.registry.Register(), "", tt.second); got.Code != 200 {
					t.Fatalf("got %d %s", got.Code, got.Body)
				}
				pass(10 * time.Millisecond)
				second, state, _ := w.f.Worker("a")
				if (second != first) != tt.replaced || state != fleet.Active {
					t.Errorf("replaced %v, it is %s", second != first, state)
				}
				if tt.replaced && second.Generation == first.Generation {
					t.Error("it has the generation of the one before")
				}
			})
		})
	}
}

func TestARegisteredWorkerThatNeverAnswersIsForgotten(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.set("http://h", errRefused)
		register(w.registry.Register(), "", cardOf("http://h", "a"))
		pass(newcomerTimeout - time.Second)
		if w.state("a") != "starting" {
			t.Errorf("it is %s", w.state("a"))
		}
		pass(2 * time.Second)
		if w.state("a") != "none" {
			t.Errorf("it is %s", w.state("a"))
		}
		if got := register(w.registry.Register(), "", cardOf("http://h", "a")); got.Code != 200 {
			t.Errorf("it may not come back: %d", got.Code)
		}
	})
}

func TestTheCheckOfAWorkerThatWasReplacedDoesNotConcernTheNewOne(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.hangs("http://old")
		register(w.registry.Register(), "", cardOf("http://old", "a"))
		pass(time.Second)
		register(w.registry.Register(), "", cardOf("http://new", "a"))
		pass(2 * newcomerTimeout)
		if one, state, ok := w.f.Worker("a"); !ok || state != fleet.Active || one.Address != "http://new" {
			t.Errorf("it is %v %v", one, state)
		}
	})
}

func TestARegisteredWorkerThatComesUpLateServesThen(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.set("http://h", errRefused)
		register(w.registry.Register(), "", cardOf("http://h", "a"))
		pass(5 * time.Second)
		w.set("http://h", nil)
		pass(100 * time.Millisecond)
		if w.state("a") != "active" {
			t.Errorf("it is %s", w.state("a"))
		}
	})
}

func TestARegisteredWorkerThatWasDrainedIsRemovedAndMayComeBack(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		register(w.registry.Register(), "", cardOf("http://h", "a"))
		pass(10 * time.Millisecond)
		if _, err := w.f.Drain("a", "by hand"); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if w.state("a") != "none" {
			t.Errorf("it is %s", w.state("a"))
		}
		register(w.registry.Register(), "", cardOf("http://h", "a"))
		pass(10 * time.Millisecond)
		if w.state("a") != "active" {
			t.Errorf("it is %s", w.state("a"))
		}
	})
}

func TestTooManyNewcomersAreAskedToComeBack(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		for i := range newcomersPending {
			w.hangs(fmt.Sprintf("http://h%d", i))
			if got := register(w.registry.Register(), "", cardOf(fmt.Sprintf("http://h%d", i), fmt.Sprint("a", i))); got.Code != 200 {
				t.Fatalf("the %dth: %d", i, got.Code)
			}
		}
		got := register(w.registry.Register(), "", cardOf("http://more", "more"))
		if got.Code != 503 || got.Header().Get("Retry-After") == "" || w.state("more") != "none" {
			t.Errorf("got %d %v", got.Code, got.Header())
		}
		pass(newcomerTimeout + time.Second)
		if got := register(w.registry.Register(), "", cardOf("http://more", "more")); got.Code != 200 {
			t.Errorf("the places do not come back: %d", got.Code)
		}
	})
}

func TestWorkersRegisterServeAndLeaveForReal(t *testing.T) {
	w := newWorld(t, pool("general", "mult", "add"))
	ctx, cancel := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	loops.Go(func() { w.balancer.Health().Run(ctx) })
	loops.Go(func() { w.balancer.Registry().Run(ctx) })
	defer loops.Wait()
	defer cancel()
	waiting := w.background(w.request(http.MethodPost, "/mult", "hi"))
	until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	var served atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/add" {
			rw.WriteHeader(404)
			return
		}
		served.Add(1)
		echo(rw, r)
	}))
	if got := register(w.balancer.Registry().Register(), "", cardOf(s.URL, "joins")); got.Code != 200 {
		t.Fatalf("got %d %s", got.Code, got.Body)
	}
	if res := wait(t, waiting, "the answer"); res.err != nil || res.text != "POST hi" || res.resp.Header.Get("X-Understudy-Worker") != "joins" {
		t.Errorf("got %+v", res)
	}
	s.CloseClientConnections()
	s.Close()
	w.background(w.request(http.MethodPost, "/mult", "hi")) // breaks, and makes its worker suspect
	until(t, "it has left", func() bool { _, _, ok := w.fleet.Worker("joins"); return !ok })
}

func TestThePlannerListenerSpeaksThePlannerProtocolAndNothingElse(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.add(t, "ours", fleet.Cold)
		w.add(t, "failing", fleet.Cold)
		w.f.Fail("failing", "broke")
		h := w.registry.PlannerHandler([]netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("fd00::/8")})
		ask := func(method, path, peer, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.RemoteAddr = peer
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			return rec
		}
		if got := ask("POST", "/register", "172.17.0.5:4000", cardOf("http://172.17.0.5:8080", "new")); got.Code != 200 || got.Body.String() != "ok" {
			t.Fatalf("got %d %s", got.Code, got.Body)
		}
		want := `[{"url":"http://ours","id":"ours"},{"url":"http://172.17.0.5:8080","id":"new"}]`
		if got := ask("GET", "/", "[::1]:4000", ""); got.Code != 200 || got.Body.String() != want || got.Header().Get("Content-Type") != "application/json" {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
		if got := ask("HEAD", "/", "127.0.0.1:4000", ""); got.Code != 200 || got.Body.Len() > 0 {
			t.Errorf("HEAD: got %d %s", got.Code, got.Body)
		}
		for _, tt := range []struct {
			method, path, peer string
			status             int
		}{
			{"GET", "/", "172.17.0.5:4000", 200},
			{"GET", "/", "[::ffff:172.17.0.5]:4000", 200},
			{"GET", "/", "[fd00::1]:4000", 200},
			{"GET", "/", "172.18.0.5:4000", 403},
			{"POST", "/register", "10.0.0.1:4000", 403},
			{"GET", "/", "nonsense", 403},
			{"GET", "/mult", "127.0.0.1:4000", 404},
			{"GET", "/metrics", "127.0.0.1:4000", 404},
			{"GET", "/register", "127.0.0.1:4000", 405},
			{"POST", "/", "127.0.0.1:4000", 405},
			{"DELETE", "/workers/ours", "127.0.0.1:4000", 404},
		} {
			if got := ask(tt.method, tt.path, tt.peer, ""); got.Code != tt.status {
				t.Errorf("%s %s from %s: %d, want %d", tt.method, tt.path, tt.peer, got.Code, tt.status)
			}
		}
		if w.state("ours") != "active" {
			t.Error("somebody removed a worker")
		}
	})
}

func TestAnEmptyListOfWorkersIsAList(t *testing.T) {
	b := New(Options{Fleet: fleetOf(general()), Config: &config.Config{Pools: general()}, Prober: newScript()})
	w := httptest.NewRecorder()
	b.Registry().Workers().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/workers", nil))
	if w.Body.String() != "[]" {
		t.Errorf("got %s", w.Body)
	}
}
