package config

import (
	"reflect"
	"slices"
	"testing"
)

func TestRelaxationsAreWhatAPoolLoosensByName(t *testing.T) {
	for _, c := range []struct {
		pool string
		want []string
	}{
		{"name: p", nil},
		{"name: p, security: strict", nil},
		{"name: p, security: standard", []string{"security: standard"}},
		{"name: p, user: '1:1', read_only: true, egress: false, init: true, shm: 1GiB, tmpfs: [/a, '/b:size=1m,noexec'], resources: {memory: 8GiB}, logs: {size: 1GiB}", nil},
		{"name: p, user: root, read_only: false, egress: true, init: false, cap_add: [CHOWN, CAP_KILL], tmpfs: ['/t:exec', '/u:size=1m,suid', '/v:dev']", []string{
			"user: root", "read_only: false", "cap_add: CHOWN", "cap_add: CAP_KILL", "tmpfs: /t:exec", "tmpfs: /u:size=1m,suid", "tmpfs: /v:dev", "init: false", "egress: true"}},
		{"name: p, image: i, capabilities: [c], read_only: false, egress: true, init: false, user: '1000', cap_add: [CHOWN, CAP_SETUID, NET_RAW]", []string{"cap_add: NET_RAW"}},
		{"name: p, image: i, capabilities: [c], user: '00:5', mounts: ['/srv:/s:ro'], devices: [/dev/fuse, gpus=all], network: back", []string{
			"user: 00:5", "mounts: /srv:/s:ro", "devices: /dev/fuse", "devices: gpus=all", "network: back"}},
		{"name: p, image: i, capabilities: [c], security: strict, egress: true", []string{"egress: true"}},
	} {
		if got := load(t, "pools: [{"+c.pool+"}]").Pools[0].Relaxations(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.pool, got, c.want)
		}
	}
}

// Whatever key comes to make a worker must be thought of here: it loosens in some way, or it is named as one that cannot.
func TestEveryWorkerKeyLoosensOrIsKnownNotTo(t *testing.T) {
	never := []string{"image", "command", "port", "env", "capabilities", "concurrency", "shm", "resources.memory", "resources.cpus", "resources.pids", "logs.size", "logs.files"}
	loose := load(t, "pools: [{name: p, security: strict, user: root, read_only: false, cap_add: [KILL], tmpfs: ['/t:exec'], init: false, egress: true, "+
		"mounts: ['/srv:/s'], devices: [/dev/fuse], network: n}]").Pools[0]
	standard := Pool{Security: "standard"}
	for _, key := range workerKeys() {
		p := loose
		if key == "security" {
			p = standard
		}
		had := len(p.Relaxations())
		v := valueAt(reflect.ValueOf(&p).Elem(), key)
		v.SetZero()
		if loosens := len(p.Relaxations()) < had; loosens == slices.Contains(never, key) {
			t.Errorf("%s: it loosens: %v", key, loosens)
		}
	}
}

func TestMountsAndDevicesThatAreTheHostAreProblemsOfTheFile(t *testing.T) {
	const legal = `; legal: a folder of its own for the workers, such as /srv/fonts`
	checkRules(t, []rule{
		{inPool(`mounts: ["/:/h:ro", "/var/run/docker.sock:/s", "/etc:/e", "/etc/ssl:/e", "/etc/ssl:/e:ro", "/srv/../proc:/p", "/var:/v", "/srv:/s", "/dev:/d"], cap_add: [ALL, CAP_ALL], devices: [/dev/mem, /dev/sda1, /dev/fuse, /dev/../etc/shadow]`), []string{
			`2: pools.p.cap_add[0]: "ALL" names none; legal: each by its name, such as NET_BIND_SERVICE`,
			`2: pools.p.cap_add[1]: "CAP_ALL" names none; legal: each by its name, such as NET_BIND_SERVICE`,
			`2: pools.p.mounts[0]: "/:/h:ro" is refused: its source is / and contains the whole host` + legal,
			`2: pools.p.mounts[1]: "/var/run/docker.sock:/s" is refused: its source is the Docker socket` + legal,
			`2: pools.p.mounts[2]: "/etc:/e" is refused: its source is /etc` + legal,
			`2: pools.p.mounts[3]: "/etc/ssl:/e" is refused: its source is inside /etc` + legal + ", or :ro",
			`2: pools.p.mounts[5]: "/srv/../proc:/p" is refused: its source is /proc` + legal,
			`2: pools.p.mounts[6]: "/var:/v" is refused: its source contains the Docker socket` + legal,
			`2: pools.p.mounts[8]: "/dev:/d" is refused: its source is /dev (see devices)` + legal,
			`2: pools.p.devices[0]: "/dev/mem" is refused: it is the memory, the ports or the registers of the host; legal: a device that is not the host's memory, log or disk`,
			`2: pools.p.devices[1]: "/dev/sda1" is refused: it is a disk of the host; legal: a device that is not the host's memory, log or disk`,
			`2: pools.p.devices[3]: "/dev/../etc/shadow" is not a device; legal: /dev/name, gpus=all or gpus=N`,
		}},
	})
}
