package docker

import (
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
	"understudy/driver/drivertest"
)

// BenchmarkStart compares a start by the driver, until the worker's first answer, with the same create and start done by hand through
// the SDK, and with a bare one: default network, no fences. They take turns, so that whatever else the machine does hits all
// alike. Run it with -bench Start -benchtime 30x: it prints medians and the ratio that must stay below 1.15.
func BenchmarkStart(b *testing.B) {
	d := realDriver(b)
	spec := workerSpec(b, "w")
	if err := d.Prepare(b.Context(), spec); err != nil {
		b.Fatal(err)
	}
	var ours, byHand, bare, create, start, inspect []time.Duration
	for b.Loop() {
		began := time.Now()
		inst, err := d.Start(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		firstAnswer(b, spec)
		ours = append(ours, time.Since(began))
		clear := func(id string) {
			if err := d.remove(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
		clear(string(inst.ID))

		p, err := d.plan(b.Context(), spec, false)
		if err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		id, times := byTheSDK(b, d, p)
		firstAnswer(b, spec)
		byHand = append(byHand, time.Since(began))
		create, start = append(create, times[0]), append(start, times[1])
		began = time.Now()
		inspected(b, d, driver.Instance{ID: driver.ID(id)})
		inspect = append(inspect, time.Since(began))
		clear(id)

		p.host = &container.HostConfig{PortBindings: p.host.PortBindings}
		began = time.Now()
		id, _ = byTheSDK(b, d, p)
		firstAnswer(b, spec)
		bare = append(bare, time.Since(began))
		clear(id)
	}
	for unit, all := range map[string][]time.Duration{"ms/driver": ours, "ms/sdk": byHand, "ms/bare": bare,
		"ms/sdk-create": create, "ms/sdk-start": start, "ms/inspect": inspect} {
		b.ReportMetric(milliseconds(all), unit)
	}
	b.ReportMetric(milliseconds(ours)/milliseconds(byHand), "driver/sdk")
	b.ReportMetric(milliseconds(ours)/milliseconds(bare), "driver/bare")
	b.ReportMetric(0, "ns/op") // a sum over three kinds of start means nothing
}

// byTheSDK creates and starts the plan's container and says what each took.
func byTheSDK(b *testing.B, d *Driver, p *plan) (id string, times [2]time.Duration) {
	began := time.Now()
	made, err := d.engine.api().ContainerCreate(b.Context(), p.config, p.host, nil, nil, p.name)
	if err != nil {
		b.Fatal(err)
	}
	times[0] = time.Since(began)
	began = time.Now()
	if err := d.engine.api().ContainerStart(b.Context(), made.ID, container.StartOptions{}); err != nil {
		b.Fatal(err)
	}
	times[1] = time.Since(began)
	return made.ID, times
}

// firstAnswer waits until the worker answers with its identity.
func firstAnswer(b *testing.B, spec driver.Spec) {
	inst := fromLabels("", (&Driver{}).labels(spec))
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		header, _, err := drivertest.Get(b.Context(), inst.Address+"/")
		if err == nil && header.Get(drivertest.IdentityHeader) == spec.Generation {
			return
		}
		select {
		case <-tick.C:
		case <-b.Context().Done():
			b.Fatal("no answer")
		}
	}
}

// milliseconds is the median.
func milliseconds(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Microseconds()) / 1000
}
