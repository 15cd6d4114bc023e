package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRulesOfMembers(t *testing.T) {
	const base = ` is not the base URL of a member; legal: http://host:port and nothing after it`
	for _, c := range []struct{ member, want string }{
		{"https://h:1", `"https://h:1"` + base},
		{"h:1", `"h:1"` + base},
		{"http://h", `"http://h"` + base},
		{"http://h:0", `"http://h:0"` + base},
		{"http://:1", `"http://:1"` + base},
		{"http://h:1/api", `"http://h:1/api"` + base},
		{"http://h:1?", `"http://h:1?"` + base},
		{"http://h:1/#", `"http://h:1/#"` + base},
		{"http://me:secret@h:1", `"…@h:1"` + base},
		{"http://127.0.0.1:8080", `"http://127.0.0.1:8080" is this balancer itself (listen, 127.0.0.1:8080); legal: the address of another server`},
		{"http://localhost:8080", `"http://localhost:8080" is this balancer itself (listen, 127.0.0.1:8080); legal: the address of another server`},
		{"http://10.0.0.5:8080", ""},
		{"http://h:1/", ""},
		{"http://[::1]:1", ""},
	} {
		t.Run(c.member, func(t *testing.T) {
			got := problemsOf(t, fmt.Sprintf("pools: [{name: p, capabilities: [c], members: [%q]}]", c.member))
			if c.want == "" && got != nil || c.want != "" && !slices.Equal(got, []string{"1: pools.p.members[0]: " + c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	checkRules(t, []rule{
		{`pools: [{name: p, capabilities: [c], members: ["http://h:1", "http://H:1/"]}]`, []string{`1: pools.p.members[1]: "http://H:1/" is named twice; legal: each member once`}},
		{"listen: :8080\npools: [{name: p, capabilities: [c], members: ['http://10.0.0.5:8080']}]", nil},
		{"listen: :8080\npools: [{name: p, capabilities: [c], members: ['http://127.0.0.2:8080']}]", []string{
			`2: pools.p.members[0]: "http://127.0.0.2:8080" is this balancer itself (listen, :8080); legal: the address of another server`}},
		{`pools: [{name: p, capabilities: [c], members: ["http://h:1"], workers: {max: 2}}]`, []string{
			`1: pools.p.workers: asks for workers, but a pool of members alone has nothing to start; legal: leave it out, or give an image or a command`}},
	})
}

func TestRulesOfWhatIsStarted(t *testing.T) {
	const image = ` is not an image; legal: [registry[:port]/]name[:tag][@digest], the name in lower case, such as ghcr.io/me/render:1.4`
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for _, ok := range []string{"a", "a/b:c", "ghcr.io/me/render:1.4", "localhost:5000/a_b/c--d:X.y-Z", "REG.example/a", "a" + digest, "a:b" + digest, "[::1]:5000/a"} {
		if got := problemsOf(t, fmt.Sprintf("pools: [{name: p, capabilities: [c], image: %q}]", ok)); got != nil {
			t.Errorf("image %q: %q", ok, got)
		}
	}
	for _, bad := range []string{"A", "a b", "a/B", "a:", "a@sha256:12", "http://a/b", "/a", "a//b", "-a", "a:b:c"} {
		got := problemsOf(t, fmt.Sprintf("pools: [{name: p, capabilities: [c], image: %q}]", bad))
		if want := []string{fmt.Sprintf("1: pools.p.image: %q", bad) + image}; !slices.Equal(got, want) {
			t.Errorf("image %q: got %q, want %q", bad, got, want)
		}
	}
	checkRules(t, []rule{
		{"driver: docker\npools: [{name: p, capabilities: [c], command: [x]}]", []string{
			`2: pools.p.command: has no image to run in, and driver docker runs nothing else; legal: give an image, or use driver process`}},
		{"driver: process\npools: [{name: p, workers: {spare_mode: paused}}]", []string{
			`2: pools.p.workers.spare_mode: "paused" takes containers: driver process cannot freeze a worker; legal: running, or driver docker`,
		}},
		{"driver: process\npools: [{name: p, capabilities: [c], image: x}]", []string{
			`2: pools.p.image: "x" cannot be run by driver process; legal: give a command, or use driver docker`}},
		{"driver: process\npools: [{name: p, capabilities: [c], image: x, command: [y]}, {name: q, capabilities: [d], command: [z]}, {name: r}]", nil},
		{"pools: [{name: p, capabilities: [c], command: [x]}]", nil},
		{"pools:\n- name: p\n  env: [A=1, a.b=2, sk-12345, =x, 1A=x,\n    A=2, PORT=1, UNDERSTUDY_ID=x, API_KEY=***, \"B=\\0\"]", []string{
			`3: pools.p.env[2]: is not KEY=value; legal: a name of letters, digits, _, . and -, then =, then the value`,
			`3: pools.p.env[3]: is not KEY=value; legal: a name of letters, digits, _, . and -, then =, then the value`,
			`3: pools.p.env[4]: is not KEY=value; legal: a name of letters, digits, _, . and -, then =, then the value`,
			`4: pools.p.env[5]: sets A again; legal: each name once`,
			`4: pools.p.env[6]: sets PORT, which the worker is given; legal: set port instead`,
			`4: pools.p.env[7]: sets UNDERSTUDY_ID: names that begin with UNDERSTUDY_ are given to the worker; legal: another name`,
			`4: pools.p.env[8]: sets API_KEY to *** (what config print writes in place of a secret); legal: the value itself`,
			`4: pools.p.env[9]: sets B to a value with a NUL byte; legal: text`,
		}},
		{inPool(`user: "a b", cap_add: [net_admin, SYS_TIME, CAP_KILL, SYS_TIME], tmpfs: [tmp, /a, "/b:size=1m,noexec", "/c:"]`), []string{
			`2: pools.p.user: "a b" is not a user; legal: name or uid, with or without :group, such as 65532:65532`,
			`2: pools.p.cap_add[0]: "net_admin" is not a capability of Linux; legal: upper case, such as NET_BIND_SERVICE`,
			`2: pools.p.cap_add[3]: "SYS_TIME" is there twice; legal: each once`,
			`2: pools.p.tmpfs[0]: "tmp" is not a tmpfs; legal: /path or /path:options, such as /tmp:size=64m`,
			`2: pools.p.tmpfs[3]: "/c:" is not a tmpfs; legal: /path or /path:options, such as /tmp:size=64m`,
		}},
		{inPool(`user: "1000:1000", mounts: ["/a:/b", "/a:/c:ro", "a:/b", "/a:/b:rw", "/a", "/a:/"], devices: [/dev/x, gpus=all, gpus=2, gpus=0, sda], network: host`), []string{
			`2: pools.p.mounts[2]: "a:/b" is not a mount; legal: /host/path:/container/path, with or without :ro`,
			`2: pools.p.mounts[3]: "/a:/b:rw" is not a mount; legal: /host/path:/container/path, with or without :ro`,
			`2: pools.p.mounts[4]: "/a" is not a mount; legal: /host/path:/container/path, with or without :ro`,
			`2: pools.p.mounts[5]: "/a:/" is not a mount; legal: /host/path:/container/path, with or without :ro`,
			`2: pools.p.devices[3]: "gpus=0" is not a device; legal: /dev/name, gpus=all or gpus=N`,
			`2: pools.p.devices[4]: "sda" is not a device; legal: /dev/name, gpus=all or gpus=N`,
			`2: pools.p.network: "host" is not a network a worker can be reached on; legal: the name of an existing network; not host, not none`,
		}},
		{inPool(`network: "container:x"`), []string{
			`2: pools.p.network: "container:x" is not a network a worker can be reached on; legal: the name of an existing network; not host, not none`}},
		{inPool(`network: back.end-1, egress: false, read_only: true, shm: 64MiB, user: nobody`), nil},
	})
}
