package docker

import (
	"errors"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestD17AContainerIsNotParkedForTheTimeThatALookHadToWait(t *testing.T) {
	engine := newFakeEngine(t)
	inst, err := engine.driver().Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	d := engine.driver(func(l *limits) { l.inspect, l.parked = 500*time.Millisecond, time.Hour })
	engine.Script("inspect", enginetest.Hang)
	d.engine.reads <- struct{}{}
	time.AfterFunc(400*time.Millisecond, func() { <-d.engine.reads })
	if _, err := d.Inspect(t.Context(), inst.ID); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("Inspect returns %v", err)
	}
	if d.hung.has(string(inst.ID)) {
		t.Error("a container is parked because others were looked at")
	}
}
