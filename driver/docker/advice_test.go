package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/docker/docker/api/types"
)

func TestWhatTheOwnerOfAnEngineCanBetterIsSaidOnceAtTheStart(t *testing.T) {
	for version, advised := range map[string]bool{
		`{"Version":"20.10.24+dfsg1"}`: true, `{"Version":"27.5.1","Components":[{"Name":"Engine"},{"Name":"containerd"}]}`: true, `{"Version":"28.0.0"}`: false,
		`{"Version":"29.1.2"}`: false, `{"Version":"5.4.0","Components":[{"Name":"Podman Engine"}]}`: false, `{"Version":"dev"}`: false, `{}`: false,
	} {
		var v types.Version
		if err := json.Unmarshal([]byte(version), &v); err != nil {
			t.Fatal(err)
		}
		for host, warned := range map[string]bool{"tcp://127.0.0.1:2375": true, "unix:///var/run/docker.sock": false} {
			var said bytes.Buffer
			d := &Driver{log: slog.New(slog.NewTextHandler(&said, nil)), engine: &engine{host: host}}
			d.advise(v)
			if got := strings.Contains(said.String(), "same network segment"); got != advised {
				t.Errorf("%s: %s", version, &said)
			}
			if got := strings.Contains(said.String(), "plain TCP"); got != warned {
				t.Errorf("%s: %s", host, &said)
			}
		}
	}
}

func TestWarningsOfTheEngineAreLoggedOnceForEachPool(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	var said bytes.Buffer
	d.log = slog.New(slog.NewTextHandler(&said, nil))
	engine.Script("create", func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"Id":"nowhere","Warnings":["limits are discarded"]}`)
		return true
	})
	for i, pool := range []string{"a", "a", "b"} {
		spec := fakeSpec(string(rune('a' + i)))
		spec.Pool = pool
		if _, err := d.Start(t.Context(), spec); !errors.Is(err, errNotFound) {
			t.Fatal(err)
		}
	}
	d.Close() // nothing writes from here on
	if got := strings.Count(said.String(), "limits are discarded"); got != 2 || !has(said.String(), "pool=a", "pool=b") {
		t.Errorf("logged %d times:\n%s", got, &said)
	}
}
