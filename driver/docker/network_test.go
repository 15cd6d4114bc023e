package docker

import (
	"bytes"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/network"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestD27RealTheFirstStartsMakeOneNetworkOfEachKindBetweenThem(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	yes := true
	var mu sync.Mutex
	ids := map[string][]string{}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			spec := workerSpec(t, "a")
			if i%2 == 0 {
				spec.Security.Egress = &yes
			}
			id, err := d.networkFor(t.Context(), spec)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			kind := map[bool]string{true: openNetwork, false: sealedNetwork}[i%2 == 0]
			ids[kind] = append(ids[kind], id)
		})
	}
	group.Wait()
	all, err := d.listNetworks(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatalf("there are %d networks, want 2 (%v)", len(all), err)
	}
	for _, n := range all {
		kind := n.Labels[labelNetwork]
		if slices.ContainsFunc(ids[kind], func(id string) bool { return id != n.ID }) {
			t.Errorf("the %s network is %s, but starts were given %v", kind, n.ID, ids[kind])
		}
		for option, want := range map[string]string{
			"com.docker.network.bridge.enable_icc":           "false",
			"com.docker.network.bridge.host_binding_ipv4":    "127.0.0.1",
			"com.docker.network.bridge.enable_ip_masquerade": map[string]string{openNetwork: "true", sealedNetwork: "false"}[kind],
		} {
			if n.Options[option] != want {
				t.Errorf("the %s network has %s=%q, want %q", kind, option, n.Options[option], want)
			}
		}
		gateway := len(n.IPAM.Config) == 1 && n.IPAM.Config[0].AuxAddress[deadGateway] != ""
		if n.Internal || n.Driver != "bridge" || n.EnableIPv6 || len(n.Options) != 3 || gateway != (kind == sealedNetwork) {
			t.Errorf("the %s network is %+v", kind, n)
		}
	}
}

// makeNetwork makes the network that sealed workers are on, with these options.
func makeNetwork(t *testing.T, d *Driver, options map[string]string) (id string) {
	t.Helper()
	made, err := d.engine.api().NetworkCreate(t.Context(), "understudy-fake-sealed",
		network.CreateOptions{Options: options, Labels: map[string]string{labelInstance: "fake"}})
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func TestD27OfTwoNetworksWithOurNameTheOldestIsOurs(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	oldest := makeNetwork(t, d, bridgeOptions(sealedNetwork))
	makeNetwork(t, d, bridgeOptions(sealedNetwork)) // what two processes may come to at the same time
	engine.ReverseNetworks()
	id, err := d.networkFor(t.Context(), fakeSpec("a"))
	if id != oldest || err != nil || engine.Count("network create") != 2 {
		t.Errorf("got %q, %v", id, err)
	}
}

func TestANetworkWithOtherOptionsIsNotUsed(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	id := makeNetwork(t, d, bridgeOptions(openNetwork))
	if _, err := d.Start(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), "enable_ip_masquerade", "docker network rm "+id) {
		t.Errorf("Start returns %v", err)
	}
}

func TestD27ANetworkThatCannotBeMadeIsAnErrorOnceItIsNotThere(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("network create", enginetest.Refuse(500, "could not find an available, non-overlapping IPv4 address pool"))
	if _, err := d.Start(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), "address pool") {
		t.Errorf("Start returns %v", err)
	}
}

func TestANetworkOfYoursIsJoinedUnlessItCannotPublish(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	for name, ok := range map[string]bool{"mine": true, "host": false, "none": false, "container:x": false} {
		spec := fakeSpec("a")
		spec.Security = driver.Security{Network: name}
		got, err := d.networkFor(t.Context(), spec)
		if (err == nil) != ok || ok && got != name {
			t.Errorf("network %q gives %q, %v", name, got, err)
		}
	}
	if engine.Count("network create") != 0 {
		t.Error("a network of ours was made though another is named")
	}
}

func TestCloseTakesTheNetworksAlongThatNoWorkerIsLeftOn(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	again := func() *Driver { // the same instance in another process
		t.Helper()
		other, err := New(t.Context(), Options{Instance: d.instance, Binary: testWorker()})
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	networks := func() int {
		all, err := d.listNetworks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	first := again()
	inst := mustStart(t, first, workerSpec(t, "a"))
	if err := first.Close(); err != nil || networks() != 1 {
		t.Errorf("with a worker left there are %d networks after Close: %v", networks(), err)
	}
	ask(t, inst, "/")
	second := again()
	if err := second.Prepare(t.Context(), workerSpec(t, "b")); err != nil {
		t.Fatal(err)
	}
	if err := second.Stop(t.Context(), inst.ID, 0); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil || networks() != 0 {
		t.Errorf("without a worker there are %d networks after Close: %v", networks(), err)
	}
}

func TestARangeThatSomebodyTookIsAskedForAnew(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	tries := 0
	engine.Script("network create", func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if strings.Contains(string(body), deadGateway) {
			tries++
		}
		return tries > 0 && tries < 3 && strings.Contains(string(body), deadGateway) &&
			enginetest.Refuse(403, "Pool overlaps with other one on this address space")(w, r)
	})
	if id, err := d.networkFor(t.Context(), fakeSpec("a")); id == "" || err != nil || tries != 3 {
		t.Errorf("got %q, %v after %d tries", id, err, tries)
	}
	if got := engine.Networks(); !slices.Equal(got, []string{"understudy-fake-sealed"}) {
		t.Errorf("the networks are %q", got)
	}
}

func TestTheLastAddressOfARange(t *testing.T) {
	for subnet, want := range map[string]string{"172.18.0.0/16": "172.18.255.254", "192.168.16.0/20": "192.168.31.254", "10.1.2.0/24": "10.1.2.254", "10.0.0.8/29": "10.0.0.14"} {
		if got := lastAddress(netip.MustParsePrefix(subnet)).String(); got != want {
			t.Errorf("of %s: %s, want %s", subnet, got, want)
		}
	}
}
