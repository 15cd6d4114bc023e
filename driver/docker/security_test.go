package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"

	"understudy/driver"
	"understudy/driver/drivertest"
)

// workerSpec is a worker on the real engine.
func workerSpec(t testing.TB, worker string) driver.Spec {
	return driver.Spec{Pool: "p", Worker: worker, Generation: "generation-" + worker, Hash: "hash", Capabilities: []string{"mult", "add"},
		Concurrency: 1, HostPort: drivertest.FreePort(t), Env: []string{"UNDERSTUDY_IDENTITY=generation-" + worker}}
}

// mustStart starts a worker and waits until it answers.
func mustStart(t *testing.T, d *Driver, spec driver.Spec) driver.Instance {
	t.Helper()
	inst, err := d.Start(t.Context(), spec)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	eventually(t, spec.Worker+" answers", func() bool {
		header, _, err := drivertest.Get(t.Context(), inst.Address+"/")
		return err == nil && header.Get(drivertest.IdentityHeader) == spec.Generation
	})
	return inst
}

// ask fetches a path of a worker.
func ask(t *testing.T, inst driver.Instance, path string) string {
	t.Helper()
	_, body, err := drivertest.Get(t.Context(), inst.Address+path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return body
}

// inspected is the container as the engine sees it.
func inspected(t testing.TB, d *Driver, inst driver.Instance) container.InspectResponse {
	t.Helper()
	found, err := d.engine.api().ContainerInspect(t.Context(), string(inst.ID))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// differences compares every field of a struct with what is wanted of it; a field that is not named is wanted empty, one
// wanted as any is not looked at.
func differences(got any, want map[string]any) (out []string) {
	v := reflect.ValueOf(got)
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if field.Anonymous {
			out = append(out, differences(value.Interface(), want)...)
			continue
		}
		expected, named := want[field.Name]
		for value.Kind() == reflect.Pointer && !value.IsNil() {
			value = value.Elem()
		}
		empty := value.IsZero() || (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0
		if !named && !empty || named && expected != whatever && fmt.Sprint(value.Interface()) != fmt.Sprint(expected) {
			out = append(out, fmt.Sprintf("%s is %v, want %v", field.Name, value.Interface(), expected))
		}
	}
	return out
}

const whatever = "whatever the engine makes of it"

// common is what both levels share. What is in neither table must be empty: Privileged, Binds, PidMode and all the others.
func common(network string, port int) map[string]any {
	return map[string]any{
		"LogConfig":      "{local map[max-file:3 max-size:10485760]}",
		"NetworkMode":    network,
		"PortBindings":   fmt.Sprintf("map[8080/tcp:[{127.0.0.1 %d}]]", port),
		"RestartPolicy":  "{no 0}",
		"CapDrop":        "[ALL]",
		"CgroupnsMode":   "private",
		"IpcMode":        "private",
		"OomScoreAdj":    500,
		"SecurityOpt":    "[no-new-privileges:true]",
		"Memory":         512 << 20,
		"MemorySwap":     512 << 20,
		"NanoCPUs":       1_000_000_000,
		"PidsLimit":      256,
		"MaskedPaths":    whatever, // looked at below
		"ReadonlyPaths":  whatever,
		"Runtime":        whatever,
		"OomKillDisable": false,
	}
}

func TestAWorkerIsFencedInAsItsLevelSays(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		level  driver.Level
		kind   string
		user   string
		signal string
		want   map[string]any
	}{
		{driver.LevelStrict, sealedNetwork, "65532:65532", "SIGTERM", map[string]any{
			"ReadonlyRootfs": true,
			"Tmpfs":          "map[/tmp:rw,noexec,nosuid,nodev,size=64m]",
			"ShmSize":        16 << 20,
			"Init":           true,
			"Ulimits":        []string{"nofile=4096:4096", "core=0:0"},
		}},
		{driver.LevelStandard, openNetwork, "", "", map[string]any{
			"CapAdd":  "[CAP_CHOWN CAP_DAC_OVERRIDE CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID]",
			"ShmSize": 64 << 20,
		}},
	} {
		t.Run(string(tc.level), func(t *testing.T) {
			t.Parallel()
			d := realDriver(t)
			spec := workerSpec(t, "a")
			if tc.level == driver.LevelStandard {
				spec.Image, spec.Pull = importImage(t, d), driver.PullNever
			}
			found := inspected(t, d, mustStart(t, d, spec))
			network, err := d.findNetwork(t.Context(), tc.kind)
			if err != nil || network == "" {
				t.Fatalf("its network cannot be found: %v", err)
			}
			want := common(network, spec.HostPort)
			for name, value := range tc.want {
				want[name] = value
			}
			for _, difference := range differences(*found.HostConfig, want) {
				t.Errorf("HostConfig.%s", difference)
			}
			if m := found.HostConfig.MaskedPaths; !has(strings.Join(m, " "), "/proc/kcore", "/sys/firmware") {
				t.Errorf("the masked paths are %q", m)
			}
			checkConfig(t, d, found.Config, spec, tc.user, tc.signal)
		})
	}
}

func checkConfig(t *testing.T, d *Driver, cfg *container.Config, spec driver.Spec, user, signal string) {
	t.Helper()
	for name, pair := range map[string][2]any{
		"User":         {cfg.User, user},
		"StopSignal":   {cfg.StopSignal, signal},
		"StopTimeout":  {*cfg.StopTimeout, 10},
		"Healthcheck":  {cfg.Healthcheck.Test, "[NONE]"},
		"ExposedPorts": {cfg.ExposedPorts, nat.PortSet{"8080/tcp": {}}},
		"Env":          {cfg.Env[:2], []string{"UNDERSTUDY_IDENTITY=generation-a", "PORT=8080"}},
		"Tty":          {cfg.Tty, false},
	} {
		if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
			t.Errorf("Config.%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	for label, value := range map[string]string{
		"understudy.instance": d.instance, "understudy.pool": "p", "understudy.capabilities": "mult,add",
		"understudy.port": fmt.Sprint(spec.HostPort), "understudy.generation": "generation-a", "understudy.spec": "hash",
	} {
		if cfg.Labels[label] != value {
			t.Errorf("label %s is %q, want %q", label, cfg.Labels[label], value)
		}
	}
}

func TestWhatAStrictWorkerCanDoIsLittle(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	spec := workerSpec(t, "a")
	spec.Port = 80 // below 1024, without root and without a capability
	a := mustStart(t, d, spec)
	b := mustStart(t, d, workerSpec(t, "b"))
	if got := ask(t, a, "/user"); got != "65532:65532" {
		t.Errorf("it runs as %s", got)
	}
	if got := ask(t, a, "/write?path=/x"); !has(got, "read-only file system") {
		t.Errorf("writing to its root: %q", got)
	}
	if got := ask(t, a, "/write?path=/tmp/x"); got != "" {
		t.Errorf("writing to /tmp: %q", got)
	}
	settings := inspected(t, d, b).NetworkSettings
	for _, joined := range settings.Networks {
		if got := ask(t, a, "/dial?address="+joined.IPAddress+":8080"); got == "" {
			t.Error("it reaches another worker")
		}
		if got := ask(t, b, "/dial?address="+joined.IPAddress+":8080"); got != "" {
			t.Errorf("the other worker does not reach itself (%s), so the test tells nothing", got)
		}
	}
}

func TestSingleKeysOverrideTheLevel(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	dir := t.TempDir()
	os.Chmod(dir, 0o777)
	yes, no := true, false
	spec := workerSpec(t, "a")
	spec.Security = driver.Security{User: "1234:4321", ReadOnly: &no, Egress: &yes, Init: &no, CapAdd: []string{"SYS_NICE"}, Shm: 32 << 20,
		Tmpfs: []string{"/scratch", "/tmp:rw,size=1m"}, Mounts: []string{dir + ":/data", dir + ":/view:ro"}}
	spec.Resources = driver.Resources{Memory: 64 << 20, CPUs: 0.5, Pids: 32}
	spec.Logs = driver.LogLimits{Size: 64 << 10, Files: 1}
	inst := mustStart(t, d, spec)
	host := inspected(t, d, inst).HostConfig
	got := fmt.Sprint(host.ReadonlyRootfs, host.CapAdd, host.ShmSize, host.Tmpfs, host.Memory, host.MemorySwap, host.NanoCPUs, *host.PidsLimit,
		*host.Init, host.LogConfig)
	want := fmt.Sprint(false, []string{"CAP_SYS_NICE"}, 32<<20,
		map[string]string{"/scratch": "rw,noexec,nosuid,nodev,size=64m", "/tmp": "rw,size=1m"}, 64<<20, 64<<20, 500_000_000, 32,
		false, container.LogConfig{Type: "local", Config: map[string]string{"compress": "false", "max-file": "1", "max-size": "65536"}})
	if got != want {
		t.Errorf("the container has %s, want %s", got, want)
	}
	if network, _ := d.findNetwork(t.Context(), openNetwork); network == "" || string(host.NetworkMode) != network {
		t.Errorf("with egress it is on network %q, want the open one, %q", host.NetworkMode, network)
	}
	if got := ask(t, inst, "/user"); got != "1234:4321" {
		t.Errorf("it runs as %s", got)
	}
	if got := ask(t, inst, "/write?path=/data/x"); got != "" {
		t.Errorf("writing to the mount: %s", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err != nil {
		t.Errorf("on the host: %v", err)
	}
	if got := ask(t, inst, "/write?path=/view/y"); !has(got, "read-only") {
		t.Errorf("writing to the mount that is read-only: %q", got)
	}
}

func TestStandardAndStrictAreTheDefaultsOfTheirImages(t *testing.T) {
	for _, tc := range []struct {
		image, user string
		level       driver.Level
		wantUser    string
		readOnly    bool
	}{
		{"", "", "", defaultUser, true},
		{"any", "", "", "", false},
		{"any", "", driver.LevelStrict, defaultUser, true},
		{"any", "0:0", driver.LevelStrict, defaultUser, true},
		{"any", "root", driver.LevelStrict, defaultUser, true},
		{"any", "app:app", driver.LevelStrict, "app:app", true},
		{"any", "root", driver.LevelStandard, "", false},
		{"", "", driver.LevelStandard, "", false},
	} {
		f := fenceFor(driver.Spec{Image: tc.image, Security: driver.Security{Level: tc.level}}, tc.user)
		if f.user != tc.wantUser || f.readOnly != tc.readOnly {
			t.Errorf("%+v: user %q, read-only %v", tc, f.user, f.readOnly)
		}
	}
	yes := true
	f := fenceFor(driver.Spec{Image: "any", Security: driver.Security{ReadOnly: &yes}}, "")
	if _, ok := f.tmpfs["/tmp"]; !ok {
		t.Error("a read-only root without /tmp")
	}
}

func TestMountsThatWouldGiveAwayTheHostAreRefused(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "engine", "docker.sock")
	os.Mkdir(filepath.Dir(socket), 0o755)
	write(t, filepath.Dir(socket), "docker.sock", "")
	write(t, dir, "fine", "")
	link := func(name, target string) string {
		path := filepath.Join(dir, name)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	e := &engine{host: "unix://" + socket}
	for mount, word := range map[string]string{
		"/:/host:ro":                          "contains",
		"/dev/shm:/d":                         "/dev",
		"/run/docker.sock:/s:ro":              "the Docker socket",
		"/etc:/etc:ro":                        "/etc",
		"/etc/passwd:/x":                      "/etc",
		"/proc:/p":                            "/proc",
		"/proc/sys:/p:ro":                     "/proc",
		"/sys:/s":                             "/sys",
		"/run:/r":                             "/run",
		"/var/run:/r":                         "/run",
		"/var:/v":                             "contains",
		socket + ":/s":                        "the Docker socket",
		filepath.Dir(socket) + ":/s":          "the Docker socket",
		dir + ":/s":                           "the Docker socket",
		link("to-socket", socket) + ":/s":     "the Docker socket",
		link("to-root", "/") + ":/h":          "contains",
		link("to-etc", "/etc") + "/../etc:/h": "/etc",
		link("chain", filepath.Join(dir, "to-etc")) + ":/h": "/etc",
		filepath.Join(dir, "none") + ":/x":                  "cannot be found",
		link("dangling", "/nowhere") + ":/x":                "cannot be found",
		"relative:/x":                                       "absolute",
		"/tmp:x":                                            "absolute",
		"/tmp:/":                                            "absolute",
		"/tmp":                                              "form",
		"/tmp:/a:/b:ro":                                     "form",
		"/tmp:/a:rox":                                       "ro or rw",
	} {
		if got, err := e.mounts([]string{mount}); err == nil || !has(err.Error(), word) {
			t.Errorf("mount %q gives %v, %v; want an error with %q", mount, got, err, word)
		}
	}
	fine := filepath.Join(dir, "fine")
	got, err := e.mounts([]string{link("to-fine", fine) + ":/x", fine + ":/y:ro", "/etc/passwd:/z:ro"})
	want := []mount.Mount{{Type: "bind", Source: fine, Target: "/x"}, {Type: "bind", Source: fine, Target: "/y", ReadOnly: true},
		{Type: "bind", Source: "/etc/passwd", Target: "/z", ReadOnly: true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("fine mounts give %+v, %v", got, err)
	}
}

func TestDevicesAreFilesOfDevOrGPUs(t *testing.T) {
	maps, requests, err := devices([]string{"/dev/fuse", "/dev/kvm:/dev/other", "gpus=all", "gpus=2"})
	if err != nil || fmt.Sprint(maps) != "[{/dev/fuse /dev/fuse rwm} {/dev/kvm /dev/other rwm}]" ||
		len(requests) != 2 || requests[0].Count != -1 || requests[1].Count != 2 {
		t.Errorf("got %v, %v, %v", maps, requests, err)
	}
	for _, bad := range []string{"/etc/passwd", "/dev/../etc/passwd", "fuse", "gpus=", "gpus=0", "gpus=-1", "/dev/fuse:relative"} {
		if _, _, err := devices([]string{bad}); err == nil || !has(err.Error(), bad) {
			t.Errorf("device %q: %v", bad, err)
		}
	}
	for bad, why := range map[string]string{"/dev/mem": "memory", "/dev/fd": "leads to", "/dev/../dev/sda": "disk", "/dev/disk:/dev/x": "disk"} {
		if _, _, err := devices([]string{bad}); err == nil || !has(err.Error(), bad, "refused", why) {
			t.Errorf("device %q: %v", bad, err)
		}
	}
}
