package docker

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/registrytest"
)

// answers makes a registry answer this whatever is asked of it but whether it is one.
func answers(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Path == "/v2/" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

// impatient is a driver on the real engine that tries again at once.
func impatient(t *testing.T) *Driver {
	d := realDriver(t)
	d.engine.limits.again = time.Millisecond
	return d
}

func wanted(ref string, pull driver.Pull) driver.Spec { return driver.Spec{Image: ref, Pull: pull} }

func TestWhatARegistryRefusesIsOneSentenceThatSaysWhatToDo(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	for name, tc := range map[string]struct {
		tag, want string
		away      bool
		pulls     int
		prepare   func(*registrytest.Registry)
	}{
		"no such tag": {"2", "has no such image", false, 1, func(*registrytest.Registry) {}},
		"denied": {"1", "docker login", false, 1, func(r *registrytest.Registry) {
			r.Script(answers(403, `{"errors":[{"code":"DENIED","message":"not for you"}]}`))
		}},
		"too many": {"1", "docker login", true, 1, func(r *registrytest.Registry) {
			r.Script(answers(429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`))
		}},
		"broken":         {"1", "does not answer as it should", true, pullTries, func(r *registrytest.Registry) { r.Script(answers(500, "<html> oh no")) }},
		"in maintenance": {"1", "does not answer as it should", true, pullTries, func(r *registrytest.Registry) { r.Script(answers(503, "")) }},
		"away":           {"1", "connection refused", true, 0, func(r *registrytest.Registry) { r.Close() }},
		"for another machine": {"3", "linux/amd64", false, 1, func(r *registrytest.Registry) {
			r.Push("app", "3", registrytest.Image{Filler: []int64{10}, Arch: "s390x", List: true})
		}},
	} {
		registry := registrytest.New(t)
		registry.Push("app", "1", registrytest.Image{Filler: []int64{11}})
		tc.prepare(registry)
		ref := registry.Host() + "/app:" + tc.tag
		_, err := d.image(t.Context(), wanted(ref, driver.PullMissing), true)
		if !errors.Is(err, driver.ErrImageMissing) || errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), tc.want, ref, registry.Host()) {
			t.Errorf("%s: the image is %v", name, err)
		}
		if errors.Is(err, errRegistryAway) != tc.away {
			t.Errorf("%s: that the registry is away is %v: %v", name, !tc.away, err)
		}
		if n := registry.Count("HEAD", "/manifests/"); n != tc.pulls {
			t.Errorf("%s: it was asked %d times, want %d", name, n, tc.pulls)
		}
	}
}

func TestAMovedTagIsPulledAndShownByItsDigest(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	registry := registrytest.New(t)
	ref := registry.Host() + "/app:1"
	ids := map[string]bool{}
	for _, content := range []string{"first", "second"} {
		digest := registry.Push("app", "1", registrytest.Image{Filler: []int64{1000}, Config: map[string]any{"Labels": map[string]string{"content": content}}})
		img, err := d.image(t.Context(), wanted(ref, driver.PullAlways), true)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { removeImage(t, d, img.id) })
		if got := d.Origin(img.id); got != (driver.Origin{Digest: digest}) {
			t.Errorf("the origin of the %s content is %+v, want the digest %s", content, got, digest)
		}
		ids[img.id] = true
	}
	if len(ids) != 2 {
		t.Errorf("two contents are %v", ids)
	}
}

func TestWithItsRegistryAwayAnImageThatIsHereIsUsedAndWithOneThatRefusesWhatWasFound(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	registry := registrytest.New(t)
	registry.Push("app", "1", registrytest.Image{Filler: []int64{1001}})
	spec := wanted(registry.Host()+"/app:1", driver.PullAlways)
	img, err := d.image(t.Context(), spec, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeImage(t, d, img.id) })

	registry.Script(answers(404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}`))
	if _, err := d.image(t.Context(), spec, true); !errors.Is(err, driver.ErrImageMissing) {
		t.Errorf("with a registry that has it no longer a load finds %v", err)
	}
	asked := registry.Count("HEAD", "/manifests/")
	if again, err := d.image(t.Context(), spec, false); err != nil || again.id != img.id || registry.Count("HEAD", "/manifests/") != asked {
		t.Errorf("after a load that failed a start finds %+v, %v", again, err)
	}

	registry.Close()
	if again, err := d.image(t.Context(), spec, true); err != nil || again.id != img.id {
		t.Errorf("with the registry away a load finds %+v, %v", again, err)
	}
	if o := d.Origin(img.id); !has(o.Stale, "connection refused") || !has(o.Digest, "sha256:") {
		t.Errorf("its origin is %+v", o)
	}
}

// gate lets half of each layer through, and the rest once it is open. Small layers pass.
type gate struct {
	content http.Handler
	open    chan struct{}
}

func gated(r *registrytest.Registry) *gate {
	g := &gate{content: r.Content(), open: make(chan struct{})}
	r.Script(g.answer)
	return g
}

func (g *gate) answer(w http.ResponseWriter, req *http.Request) bool {
	if req.Method != http.MethodGet || !strings.Contains(req.URL.Path, "/blobs/") {
		return false
	}
	whole := httptest.NewRecorder()
	g.content.ServeHTTP(whole, req)
	body := whole.Body.Bytes()
	if len(body) < 1<<20 {
		return false
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body[:len(body)/2])
	http.NewResponseController(w).Flush()
	select {
	case <-g.open:
	case <-req.Context().Done():
		panic(http.ErrAbortHandler)
	}
	w.Write(body[len(body)/2:])
	return true
}

func TestAPullShowsHowFarItIsAndKeepsNoStartWaitingThatNeedsNoneOfIt(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	registry := registrytest.New(t)
	registry.Push("app", "1", registrytest.Image{Filler: []int64{1002}})
	spec := wanted(registry.Host()+"/app:1", driver.PullAlways)
	first, err := d.image(t.Context(), spec, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeImage(t, d, first.id) })
	const size = 3 << 20
	registry.Push("app", "1", registrytest.Image{Filler: []int64{1002, size}})
	g := gated(registry)
	type found struct {
		img image
		err error
	}
	done := make(chan found, 1)
	go func() {
		img, err := d.image(t.Context(), spec, true)
		done <- found{img, err}
	}()
	eventually(t, "a part of it has come", func() bool { // the engine does not tell of every byte
		p, ok := d.Pulling(spec.Image)
		return ok && p.Layers == 2 && p.Done == 1 && p.Bytes > 0 && p.Bytes < size && p.Total > size
	})
	if img, err := d.image(t.Context(), spec, false); err != nil || img.id != first.id {
		t.Errorf("meanwhile a start finds %+v, %v; want the content from before", img, err)
	}
	close(g.open)
	second := <-done
	if second.err != nil || second.img.id == first.id {
		t.Fatalf("the pull ends with %+v, %v", second.img, second.err)
	}
	t.Cleanup(func() { removeImage(t, d, second.img.id) })
	if p, ok := d.Pulling(spec.Image); ok {
		t.Errorf("after its end it is %+v", p)
	}
	if img, err := d.image(t.Context(), spec, false); err != nil || img.id != second.img.id {
		t.Errorf("then a start finds %+v, %v; want the new content", img, err)
	}
}

func TestAPullOfWhichNothingIsHeardAnyMoreIsGivenUp(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	d.engine.limits.stall = 3 * time.Second
	registry := registrytest.New(t)
	registry.Push("app", "1", registrytest.Image{Filler: []int64{2 << 20}})
	gated(registry)
	_, err := d.image(t.Context(), wanted(registry.Host()+"/app:1", driver.PullMissing), true)
	if !errors.Is(err, driver.ErrImageMissing) || errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), "nothing has been heard", "3s") {
		t.Errorf("the image is %v", err)
	}
}

func TestCloseDoesNotWaitForAPull(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	registry := registrytest.New(t)
	registry.Push("app", "1", registrytest.Image{Filler: []int64{2<<20 + 1}})
	gated(registry)
	done := make(chan error, 1)
	go func() {
		_, err := d.image(t.Context(), wanted(registry.Host()+"/app:1", driver.PullMissing), true)
		done <- err
	}()
	eventually(t, "it is under way", func() bool {
		p, ok := d.Pulling(registry.Host() + "/app:1")
		return ok && p.Bytes > 0
	})
	began := time.Now()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > d.engine.limits.close/2 {
		t.Errorf("Close took %s", took)
	}
	if err := <-done; err == nil {
		t.Error("the pull came to a good end")
	}
}

func TestCloseTakesAPullFromTheEngine(t *testing.T) { // what the engine does with its registry then is its own: some finish a layer
	engine := newFakeEngine(t)
	begun, left := make(chan struct{}), make(chan struct{})
	engine.Script("pull", func(w http.ResponseWriter, req *http.Request) bool {
		fmt.Fprintln(w, `{"status":"Pulling fs layer","id":"a"}`)
		http.NewResponseController(w).Flush()
		close(begun)
		<-req.Context().Done()
		close(left)
		return true
	})
	d := engine.driver()
	done := make(chan error, 1)
	go func() {
		_, err := d.image(t.Context(), wanted("app:1", driver.PullMissing), true)
		done <- err
	}()
	<-begun
	began := time.Now()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > d.engine.limits.close/2 {
		t.Errorf("Close took %s", took)
	}
	if err := <-done; err == nil {
		t.Error("the pull came to a good end")
	}
	<-left
}

func TestALayerThatIsCutOffIsFetchedAgain(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	registry := registrytest.New(t)
	registry.Push("app", "1", registrytest.Image{Filler: []int64{2<<20 + 2}})
	var once sync.Once
	registry.Script(func(w http.ResponseWriter, req *http.Request) (answered bool) {
		if req.Method != http.MethodGet || !strings.Contains(req.URL.Path, "/blobs/") {
			return false
		}
		once.Do(func() {
			w.Header().Set("Content-Length", strconv.Itoa(2<<20))
			w.Write(make([]byte, 1<<20))
			answered = true
		})
		return answered
	})
	img, err := d.image(t.Context(), wanted(registry.Host()+"/app:1", driver.PullMissing), true)
	if err != nil {
		t.Fatal(err)
	}
	removeImage(t, d, img.id)
	if n := registry.Count("GET", "/blobs/"); n < 3 {
		t.Errorf("blobs were fetched %d times, want the configuration, and the layer more than once", n)
	}
}
