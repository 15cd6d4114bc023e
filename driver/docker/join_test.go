package docker

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
	"understudy/driver/drivertest"
)

// D31: without a port of the host there is no process of the engine that copies every byte. Only what differs from a published worker is shown
// here, unless the whole suite is asked for: make test-long.
func TestTheDriverPassesTheSuiteWithWorkersReachedByTheirAddress(t *testing.T) {
	t.Parallel()
	exercise := drivertest.ExerciseReach
	if os.Getenv("WHOLE_SUITE") == "1" {
		exercise = drivertest.Exercise
	}
	exercise(t, lanes(t, driver.Spec{Publish: driver.PublishNetwork}))
}

func TestAWorkerReachedByItsAddressIsListedAsItIsInspectedAndPublishesNothing(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	spec := workerSpec(t, "a")
	spec.Publish, spec.HostPort, spec.Port = driver.PublishNetwork, 0, 9090
	inst := mustStart(t, d, spec)
	if !strings.HasSuffix(inst.Address, ":9090") || inst.HostPort != 0 {
		t.Errorf("it is reached at %q, port %d", inst.Address, inst.HostPort)
	}
	ask(t, inst, "/")
	all, err := d.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Address != inst.Address {
		t.Errorf("listed: %+v, %v", all, err)
	}
	found, err := d.inspect(t.Context(), string(inst.ID))
	if err != nil || len(found.HostConfig.PortBindings) != 0 || found.HostConfig.PublishAllPorts {
		t.Errorf("published: %+v, %v", found.HostConfig.PortBindings, err)
	}
	for inside, bindings := range found.NetworkSettings.Ports {
		if len(bindings) > 0 {
			t.Errorf("%s is published at %v", inside, bindings)
		}
	}
	n, err := d.inspectNetwork(t.Context(), found.HostConfig.NetworkMode.NetworkName())
	if err != nil || n.Options[optionICC] != "false" {
		t.Errorf("on the host's side workers need not reach each other: %+v, %v", n.Options, err)
	}
}

func TestWhereWeAreIsWhatTheEngineConfirms(t *testing.T) {
	body := func(mode string) []byte { return []byte(fmt.Sprintf(`{"HostConfig":{"NetworkMode":%q}}`, mode)) }
	for _, c := range []struct {
		name, state, mode, self string
		address                 string
		want                    string
	}{
		{"in a container", "running", "some", "me", "", "me"},
		{"at one of its addresses", "running", "some", "me", "its", "me"},
		{"at an address that it does not have", "running", "some", "me", "192.0.2.1", ""},
		{"on the host's network", "running", "host", "me", "", ""},
		{"in the network of another one", "running", "container:other", "me", "", "other"},
		{"in one that is over", "exited", "some", "me", "", ""},
		{"in one of another engine", "running", "some", "unknown", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.Place(enginetest.Container{ID: "me", Name: "me", State: enginetest.State(c.state), Body: body(c.mode)})
			f.Place(enginetest.Container{ID: "other", Name: "other", State: enginetest.Running, Body: body("some")})
			d := f.driver()
			s := surroundings{candidates: []string{c.self}}
			found, err := d.inspect(t.Context(), "me")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range found.NetworkSettings.Networks {
				if c.address == "" || c.address == "its" {
					s.addresses = append(s.addresses, parsed(e.IPAddress)...)
				} else {
					s.addresses = parsed(c.address)
				}
			}
			if c.mode == "container:other" {
				s.addresses = nil
				for _, id := range []string{"me", "other"} {
					found, _ := d.inspect(t.Context(), id)
					for _, e := range found.NetworkSettings.Networks {
						s.addresses = append(s.addresses, parsed(e.IPAddress)...)
					}
				}
			}
			if got, err := d.recognize(t.Context(), s); err != nil || got.container != c.want {
				t.Errorf("recognized %q, %v; want %q", got.container, err, c.want)
			}
		})
	}
}

func parsed(address string) []netip.Addr {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return nil
	}
	return []netip.Addr{ip}
}

func TestOnlyTheFilesAnEngineGivesAContainerTellWhichItIs(t *testing.T) {
	mine, others := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	for text, want := range map[string]string{
		"611 600 254:0 /var/lib/docker/containers/" + mine + "/hostname /etc/hostname rw - ext4 /dev/vda rw":        mine,
		"611 600 254:0 /data/overlay-containers/" + mine + "/userdata/hosts /etc/hosts rw - ext4 /dev/vda rw":       mine,
		"612 600 0:50 / /var/lib/docker/containers/" + others + "/mounts/shm rw - tmpfs shm rw":                     "",
		"612 600 0:50 /var/lib/docker/containers/" + others + "/hostname /somewhere/hostname rw - ext4 /dev/vda rw": "",
		"613 600 0:50 /etc/hostname /etc/hostname rw - ext4 /dev/vda rw":                                            "",
		"nonsense": "",
	} {
		if got := strings.Join(mountedFrom(strings.NewReader(text+"\n")), " "); got != want {
			t.Errorf("%q tells %q", text, got)
		}
	}
}

func TestANetworkWhoseHostIsElsewhereIsNotUsed(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	d.look = func() surroundings { return surroundings{addresses: parsed("192.0.2.1")} }
	spec := workerSpec(t, "a")
	spec.Publish, spec.HostPort = driver.PublishNetwork, 0
	err := d.Prepare(t.Context(), spec)
	if err == nil || !has(err.Error(), "cannot be reached from here", "publish: loopback") {
		t.Errorf("Prepare returns %v", err)
	}
}

func TestAContainerThatKeepsApartWhoIsOnItsNetworkIsRefused(t *testing.T) {
	t.Parallel()
	real := realDriver(t)
	made, err := real.engine.api().NetworkCreate(t.Context(), real.instance+"-apart", network.CreateOptions{Options: map[string]string{optionICC: "false"},
		Labels: map[string]string{labelInstance: real.instance}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = real.namedNetwork(t.Context(), made.ID, here{container: "whoever"})
	if err == nil || !has(err.Error(), "keeps its containers apart", "enable_icc=false") {
		t.Errorf("it is joined: %v", err)
	}
}
