package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver"
	"understudy/driver/docker/registrytest"
)

func TestAPullHasALineInTheLogEveryFewSecondsHoweverMuchTheEngineSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said syncBuffer
		d := &Driver{engine: &engine{limits: defaultLimits()}, log: slog.New(slog.NewTextHandler(&said, nil))}
		p := d.pulls.begin("app:1", time.Now())
		report, engine := io.Pipe()
		const lasts, step, total = 10 * time.Minute, 100 * time.Millisecond, int64(6000)
		go func() {
			lines := json.NewEncoder(engine)
			lines.Encode(map[string]any{"id": "a", "status": "Pulling fs layer"})
			for n := range total {
				lines.Encode(map[string]any{"id": "a", "status": "Downloading", "progressDetail": map[string]any{"current": n, "total": total}})
				pause(context.Background(), step)
			}
			engine.Close()
		}()
		heard := 0
		if err := d.follow(report, p, func() { heard++ }); err != nil {
			t.Error(err)
		}
		most := int(lasts / d.engine.limits.say)
		if n := strings.Count(said.String(), "still pulling"); n < most-1 || n > most {
			t.Errorf("in %s the log has %d lines, want %d", lasts, n, most)
		}
		if last := said.String()[strings.LastIndex(said.String(), "time="):]; !has(last, "layers=1", "done=0", "of=6000") {
			t.Errorf("the last of them: %s", last)
		}
		if heard != int(total)+1 {
			t.Errorf("news were heard %d times of %d", heard, total+1)
		}
	})
}

func TestAPullOfEndlessLayersIsNotRememberedWithoutEnd(t *testing.T) {
	var all pulls
	p := all.begin("app:1", time.Now())
	for n := range 3 * mostLayers {
		p.hear(message{ID: fmt.Sprint(n), Status: "Pulling fs layer"})
		p.hear(message{ID: fmt.Sprint(n), Status: "Whatever it says"})
	}
	if got := p.progress(); got.Layers != mostLayers || got.Done != 0 {
		t.Errorf("it is %+v", got)
	}
}

func TestAnImageForAnotherMachineIsWarnedOfOnce(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	var said syncBuffer
	d.log = slog.New(slog.NewTextHandler(&said, nil))
	registry := registrytest.New(t)
	for tag, arch := range map[string]string{"ours": d.engine.version.Arch, "foreign": "s390x"} {
		registry.Push("app", tag, registrytest.Image{Filler: []int64{1021}, Arch: arch})
		ref := registry.Host() + "/app:" + tag
		for range 3 { // a load each
			img, err := d.image(t.Context(), wanted(ref, driver.PullAlways), true)
			if err != nil {
				t.Fatal(err)
			}
			if img.id == "" {
				t.Errorf("%s is %+v", ref, img)
			}
		}
		t.Cleanup(func() { removeImage(t, d, ref) })
	}
	lines := strings.Split(said.String(), "\n")
	var warned []string
	for _, line := range lines {
		if strings.Contains(line, "another machine") {
			warned = append(warned, line)
		}
	}
	if len(warned) != 1 || !has(warned[0], "level=WARN", "app:foreign", "architecture=s390x", "engine="+d.engine.version.Arch, "exec format error") {
		t.Errorf("warned: %q", warned)
	}
}
