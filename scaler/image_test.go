package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
)

// pulling is a driver whose images come from a registry.
type pulling struct{ *drivertest.Fake }

func (pulling) Pulling(image string) (driver.Progress, bool) {
	return driver.Progress{Layers: 3, Done: 1}, image == "shop/pdf:2"
}
func (pulling) Origin(id string) driver.Origin { return driver.Origin{Digest: "from " + id} }

func TestWhatWorkersAreMadeOfIsKnownOnceItIsPreparedAndAPullMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{PrepareDelay: func(driver.Spec) time.Duration { return 10 * time.Second }},
			pool("pdf", func(p *config.Pool) { p.Image = "shop/pdf:1" }))
		b.scaler.Driver = pulling{b.driver}
		b.run()
		b.pass(5 * time.Second)
		if got := b.scaler.Image("pdf"); got != (Image{Ref: "shop/pdf:1", Wanted: "shop/pdf:1"}) {
			t.Errorf("before it is prepared the image is %+v", got)
		}
		b.pass(6 * time.Second)
		first := b.scaler.Image("pdf")
		if first.ID == "" || first.Digest != "from "+first.ID || first.Pull != nil {
			t.Errorf("then it is %+v", first)
		}
		b.reload(func(p *config.Pool) { p.Image = "shop/pdf:2" })
		b.pass(5 * time.Second)
		if got := b.scaler.Image("pdf"); got.Ref != "shop/pdf:1" || got.ID != first.ID || got.Wanted != "shop/pdf:2" || got.Pull == nil || got.Pull.Layers != 3 {
			t.Errorf("while another is pulled it is %+v", got)
		}
		b.pass(6 * time.Second)
		if got := b.scaler.Image("pdf"); got.Ref != "shop/pdf:2" || got.ID == first.ID || got.Digest != "from "+got.ID {
			t.Errorf("after that it is %+v", got)
		}
		b.end()
	})
}

func TestAnImageThatIsRefusedIsNotWhatWorkersAreMadeOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("pdf", func(p *config.Pool) { p.Image, p.Workers.Min = "shop/pdf:1", 1 }))
		b.run()
		b.pass(5 * time.Second)
		first := b.scaler.Image("pdf")
		b.driver.FailNext("prepare", driver.ErrImageMissing)
		b.reload(func(p *config.Pool) { p.Image = "shop/nope:1" })
		b.pass(5 * time.Second)
		got := b.scaler.Image("pdf")
		if first.ID == "" || got.Ref != "shop/pdf:1" || got.ID != first.ID || got.Wanted != "shop/nope:1" {
			t.Errorf("it was %+v and is %+v", first, got)
		}
		b.end()
	})
}

func TestAStartThatWaitsForAPullIsNotCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return drivertest.Plan{CreateDelay: 50 * time.Minute} }},
			pool("pdf", func(p *config.Pool) { p.Workers.Min, p.Workers.Spare = 1, 0 }))
		b.run()
		b.pass(51 * time.Minute)
		b.want("pdf", 1, 0)
		if n := len(b.driver.Calls("start")); n != 1 {
			t.Errorf("there were %d starts", n)
		}
		b.end()
	})
}
