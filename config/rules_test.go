package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rule is a text and all that is wrong with it, each as line: key: value wrong; legal: …
type rule struct {
	text string
	want []string
}

func checkRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, c := range rules {
		t.Run(c.text, func(t *testing.T) {
			if got := problemsOf(t, c.text); !slices.Equal(got, c.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

func TestRulesOutsidePools(t *testing.T) {
	const where = "; legal: host:port with a port of 0 to 65535, such as 127.0.0.1:8080"
	checkRules(t, []rule{
		{`driver: podman`, []string{`1: driver: "podman" is none of these; legal: auto, docker, process`}},
		{`on_exit: stay`, []string{`1: on_exit: "stay" is none of these; legal: remove, leave`}},
		{"on_exit: leave\ndriver: process", []string{`1: on_exit: "leave" is impossible with driver process, whose workers end with the balancer; legal: remove`}},
		{"on_exit: leave\ndriver: docker", nil},
		{`publish: bridge`, []string{`1: publish: "bridge" is none of these; legal: loopback, network`}},
		{"publish: network\ndriver: process", []string{
			`1: publish: "network" is impossible with driver process, whose workers have no address but this host's; legal: loopback`}},
		{`instance: Mine`, []string{`1: instance: "Mine" is not a name; legal: 1 to 40 of a-z, 0-9, _, . and -, the first a letter or digit`}},
		{`instance: ""`, []string{`1: instance: "" is not a name; legal: 1 to 40 of a-z, 0-9, _, . and -, the first a letter or digit`}},
		{`instance: ` + strings.Repeat("a", 40), nil},
		{`instance: a` + strings.Repeat("a", 40), []string{`1: instance: "` + strings.Repeat("a", 41) + `" is not a name; legal: 1 to 40 of a-z, 0-9, _, . and -, the first a letter or digit`}},
		{`instance: .a`, []string{`1: instance: ".a" is not a name; legal: 1 to 40 of a-z, 0-9, _, . and -, the first a letter or digit`}},
		{`guard: 0`, nil},
		{`guard: 999ms`, []string{`1: guard: 999ms is out of range; legal: 0, or 1s to 8760h`}},
		{`guard: -1s`, []string{`1: guard: -1s is out of range; legal: 0, or 1s to 8760h`}},
		{`ports: {from: 0, to: 65536}`, []string{
			`1: ports.from: 0 is out of range; legal: 1 to 65535`,
			`1: ports.to: 65536 is out of range; legal: 1 to 65535`,
		}},
		{"ports:\n  from: 30000\n  to: 29999", []string{`2: ports.from: 30000 is more than ports.to, 29999; legal: 1 to 29999`}},
		{`limits: {header: 1023B, idle: -1s, connections: -1}`, []string{
			`1: limits.header: 1023B is out of range; legal: 1KiB to 16MiB`,
			`1: limits.idle: -1s is out of range; legal: 0s to 8760h`,
			`1: limits.connections: -1 is out of range; legal: 0 (no limit) or more`,
		}},
		{`limits: {header: 1KiB, body: 5GB, idle: 0, connections: 0}`, nil},
		{`log: {level: loud, format: xml, access: on}`, []string{
			`1: log.level: "loud" is none of these; legal: debug, info, warn, error`,
			`1: log.format: "xml" is none of these; legal: auto, text, json`,
			`1: log.access: "on" is none of these; legal: off, combined, json`,
		}},
		{`log: {level: debug, format: json, access: combined}`, nil},
		{`limits: {header: 17MiB}`, []string{`1: limits.header: 17MiB is out of range; legal: 1KiB to 16MiB`}},

		{`limits: {per_client: {connections: -1, rate: 0.0001, burst: -1}}`, []string{
			`1: limits.per_client.connections: -1 is out of range; legal: 0 (no limit) or more`,
			`1: limits.per_client.rate: 0.0001 is out of range; legal: 0 (no limit), or 0.001 to 1000000 requests per second`,
			`1: limits.per_client.burst: -1 is out of range; legal: 0 to 1000000`,
		}},
		{`limits: {per_client: {rate: 1000001}}`, []string{
			`1: limits.per_client.rate: 1.000001e+06 is out of range; legal: 0 (no limit), or 0.001 to 1000000 requests per second`}},
		{`limits: {per_client: {connections: 5, rate: 0.5, burst: 3}}`, nil},
		{"proxy_protocol: {from: [10.0.0.0/8, x]}\ntrusted_proxies: [10.0.0.1]", []string{
			`1: proxy_protocol.from[1]: "x" is not a network; legal: a CIDR such as 172.16.0.0/12, or 10.1.2.3/32 for one host`,
			`2: trusted_proxies[0]: "10.0.0.1" is not a network; legal: a CIDR such as 172.16.0.0/12, or 10.1.2.3/32 for one host`,
		}},
		{"trusted_proxies: [10.0.0.0/8, fd00::/8]", nil},

		{`listen: 8080`, []string{`1: listen: "8080" is not an address` + where}},
		{`listen: ""`, []string{`1: listen: "" is not an address` + where}},
		{`listen: localhost:http`, []string{`1: listen: "localhost:http" is not an address` + where}},
		{`listen: 127.0.0.1:65536`, []string{`1: listen: "127.0.0.1:65536" is not an address` + where}},
		{`listen: 127.0.0.1:-1`, []string{`1: listen: "127.0.0.1:-1" is not an address` + where}},
		{`listen: "a b:1"`, []string{`1: listen: "a b:1" is not an address` + where}},
		{`listen: "::1:8080"`, []string{`1: listen: "::1:8080" is not an address` + where}},
		{`listen: "[::1]:0"`, nil},
		{`listen: :80`, nil},
		{`listen: edge.example.com:443`, nil},
		{`admin: ""`, []string{`1: admin: "" is not an address` + where}},
		{`planner: {listen: nowhere}`, []string{`1: planner.listen: "nowhere" is not an address` + where}},
		{"listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nplanner: {listen: '127.0.0.1:0'}", nil},
		{"listen: 127.0.0.1:9000\nadmin: localhost:9000", []string{`2: admin: "localhost:9000" is the address of listen too; legal: an address of its own`}},
		{"listen: :9000\nadmin: 127.0.0.1:9000", []string{`2: admin: "127.0.0.1:9000" is the address of listen too; legal: an address of its own`}},
		{"listen: 127.0.0.1:9000\nadmin: '[::1]:9000'", nil},
		{"listen: '[::ffff:127.0.0.1]:9000'\nadmin: 127.0.0.1:9000", []string{`2: admin: "127.0.0.1:9000" is the address of listen too; legal: an address of its own`}},
		{"listen: box:9000\nadmin: BOX:9000\nadmin_token: t", []string{`2: admin: "BOX:9000" is the address of listen too; legal: an address of its own`}},
		{"listen: box:9000\nadmin: 127.0.0.1:9000", nil},
		{"listen: 0.0.0.0:9000\nadmin: '[::1]:9000'", nil},
		{"listen: 0.0.0.0:9000\nadmin: 127.0.0.1:9000", []string{`2: admin: "127.0.0.1:9000" is the address of listen too; legal: an address of its own`}},
		{"planner: {listen: '127.0.0.1:8080'}", []string{`1: planner.listen: "127.0.0.1:8080" is the address of listen too; legal: an address of its own`}},
		{"listen: 127.0.0.1:20000", []string{`1: listen: "127.0.0.1:20000" is in the range of ports for workers, 20000 to 20063; legal: a port outside it, or another range`}},
		{"admin: 127.0.0.1:20063", []string{`1: admin: "127.0.0.1:20063" is in the range of ports for workers, 20000 to 20063; legal: a port outside it, or another range`}},
		{"planner: {listen: '127.0.0.1:20001'}", []string{`1: planner.listen: "127.0.0.1:20001" is in the range of ports for workers, 20000 to 20063; legal: a port outside it, or another range`}},
		{"listen: 127.0.0.1:20064\nadmin: 127.0.0.1:19999", nil},

		{"admin: 0.0.0.0:8081", []string{`1: admin: "0.0.0.0:8081" can be reached from other hosts and there is no admin_token; legal: a loopback address such as 127.0.0.1:8081, or set admin_token`}},
		{"admin: :8081", []string{`1: admin: ":8081" can be reached from other hosts and there is no admin_token; legal: a loopback address such as 127.0.0.1:8081, or set admin_token`}},
		{"admin: box:8081", []string{`1: admin: "box:8081" can be reached from other hosts and there is no admin_token; legal: a loopback address such as 127.0.0.1:8081, or set admin_token`}},
		{"admin: :8081\nadmin_token: t0ken", nil},
		{"admin: 127.8.9.1:8081", nil},
		{"admin: '[::ffff:127.0.0.1]:8081'", nil},
		{"admin_token: pass word", []string{`1: admin_token: has a character that a Bearer token cannot have; legal: visible ASCII, no spaces`}},
		{"admin_token: '***'", []string{`1: admin_token: is *** (what config print writes in place of it); legal: the token itself`}},
		{"planner: {allow: [10.0.0.0/8, 10.1.2.3, fd00::/8]}", []string{`1: planner.allow[1]: "10.1.2.3" is not a network; legal: a CIDR such as 172.16.0.0/12, or 10.1.2.3/32 for one host`}},
		{"planner: {listen: ':3000'}", []string{`1: planner.allow: is empty, but planner.listen, ":3000", can be reached from other hosts; legal: at least one CIDR, such as 172.16.0.0/12, or a loopback planner.listen`}},
		{"planner: {listen: ':3000', allow: [172.16.0.0/12]}", nil},
		{"planner: {listen: '127.0.0.1:3000'}", nil},

		{"pools: []", []string{`1: pools: has no pool; legal: 1 to 256 pools; without this key there is one, general`}},
		{"pools: [" + strings.Repeat("{name: a},", 257) + "]", []string{`1: pools: 257 are too many; legal: 1 to 256`}},
		{"pools:\n- name: a\n- {name: b, workers: {max: 57}}", []string{
			`ports: "20000 to 20063" has 64 ports, but workers.max of all pools add up to 65; legal: at least 65 ports, or lower workers.max`}},
		{"ports: {from: 100, to: 106}", []string{
			`1: ports: "100 to 106" has 7 ports, but workers.max of all pools add up to 8; legal: at least 8 ports, or lower workers.max`}},
		{"publish: network\nports: {from: 100, to: 100}\nlisten: 127.0.0.1:100", nil}, // no port of the range is ever used
		{"ports: {from: 100, to: 107}\npools: [{name: a}, {name: b, workers: {max: 0}}, {name: c, capabilities: [x], members: ['http://h:1']}]", nil},
	})
}

// inPool is a pool of an image, with one more key in line 2.
func inPool(more string) string {
	return "pools: [{name: p, image: i, capabilities: [c],\n" + more + "}]"
}

func TestRulesOfAPool(t *testing.T) {
	for _, c := range []struct {
		more string
		want []string // without "2: pools.p."
	}{
		{`concurrency: 0`, []string{`concurrency: 0 is out of range; legal: 1 to 10000`}},
		{`concurrency: 10001`, []string{`concurrency: 10001 is out of range; legal: 1 to 10000`}},
		{`concurrency: 10000`, nil},
		{`ramp: -1s`, []string{`ramp: -1s is out of range; legal: 0s to 8760h`}},
		{`ramp: 0`, nil},
		{`busy_status: 399`, []string{`busy_status: 399 is out of range; legal: 0 (only as the planner protocol says), or 400 to 599`}},
		{`busy_status: 600`, []string{`busy_status: 600 is out of range; legal: 0 (only as the planner protocol says), or 400 to 599`}},
		{`busy_status: 429`, nil},
		{`target: {latency: 0}`, []string{`target.latency: 0s is out of range; legal: 1µs to 8760h`}},
		{`target: {latency: -300ms}`, []string{`target.latency: -300ms is out of range; legal: 1µs to 8760h`}},
		{`target: {latency: 9999h}`, []string{`target.latency: 9999h is out of range; legal: 1µs to 8760h`}},
		{`target: {percentile: 49.9}`, []string{`target.percentile: 49.9 is out of range; legal: 50 to 99.99`}},
		{`target: {percentile: 100}`, []string{`target.percentile: 100 is out of range; legal: 50 to 99.99`}},
		{`target: {percentile: 99.99}`, nil},
		{`workers: {min: -1}`, []string{`workers.min: -1 is out of range; legal: 0 to 65535`}},
		{`workers: {min: 9}`, []string{`workers.min: 9 is more than workers.max, 8; legal: 0 to 8`}},
		{`workers: {min: 8}`, []string{`workers.spare: 1 and workers.min, 8, are together more than workers.max, 8, which counts the spare too; legal: at most 0, or a workers.max of at least 9`}},
		{`workers: {min: 8, spare: 0}`, nil},
		{`workers: {min: 7}`, nil},
		{`workers: {spare: 2, spare_max: 1}`, []string{`workers.spare_max: 1 is out of range; legal: 2 (workers.spare) to 8 (workers.max)`}},
		{`workers: {spare_max: 9}`, []string{`workers.spare_max: 9 is out of range; legal: 1 (workers.spare) to 8 (workers.max)`}},
		{`workers: {spare_max: 8}`, nil},
		{`workers: {spare_mode: paused}`, nil},
		{`workers: {max: 0, spare_mode: paused}`, nil},
		{`workers: {spare_mode: frozen}`, []string{`workers.spare_mode: "frozen" is none of these; legal: running, paused`}},
		{`workers: {max: 0}`, nil},
		{`workers: {max: 0, min: 1}`, []string{`workers.max: 0 means that nothing is ever started, but min is 1, spare 0 and spare_max 0; legal: 1 or more, or 0 for all four`}},
		{`workers: {max: 0, spare: 1}`, []string{`workers.max: 0 means that nothing is ever started, but min is 0, spare 1 and spare_max 1; legal: 1 or more, or 0 for all four`}},
		{`pick: random`, []string{`pick: "random" is none of these; legal: round-robin, fastest, most-recent, least-busy`}},
		{`queue: {length: -1, wait: -1s}`, []string{
			`queue.length: -1 is out of range; legal: 0 to 1000000`,
			`queue.wait: -1s is out of range; legal: 0s to 8760h`}},
		{`queue: {length: 0, wait: 0}`, nil},
		{`timeout: -1s`, []string{`timeout: -1s is out of range; legal: 0s to 8760h`}},
		{`eject: {failures: -1, time: 0}`, []string{
			`eject.failures: -1 is out of range; legal: 0 to 1000`,
			`eject.time: 0s is out of range; legal: 1ms to 8760h`}},
		{`eject: {failures: 0}`, nil},
		{`eject: {failures: 1000, time: 1h}`, nil},
		{`idle_timeout: -1s`, []string{`idle_timeout: -1s is out of range; legal: 0s to 8760h`}},
		{`timeout: 0, idle_timeout: 0, drain: 0`, nil},
		{`drain: -1s`, []string{`drain: -1s is out of range; legal: 0s to 8760h`}},
		{`ready: {path: health}`, []string{`ready.path: "health" is not a path; legal: a path that begins with /, escaped where a URL needs it`}},
		{`ready: {path: "/a b"}`, []string{`ready.path: "/a b" is not a path; legal: a path that begins with /, escaped where a URL needs it`}},
		{`ready: {path: "/a\r\nHost: x"}`, []string{`ready.path: "/a\r\nHost: x" is not a path; legal: a path that begins with /, escaped where a URL needs it`}},
		{`ready: {path: "/#x"}`, []string{`ready.path: "/#x" is not a path; legal: a path that begins with /, escaped where a URL needs it`}},
		{`ready: {path: "/a?b=c"}`, nil},
		{`ready: {status: 99-200}`, []string{`ready.status: "99-200" is not a range of statuses; legal: one of 100 to 599, such as 200, or two with - between, such as 200-499`}},
		{`ready: {status: 499-200}`, []string{`ready.status: "499-200" is not a range of statuses; legal: one of 100 to 599, such as 200, or two with - between, such as 200-499`}},
		{`ready: {status: 600}`, []string{`ready.status: "600" is not a range of statuses; legal: one of 100 to 599, such as 200, or two with - between, such as 200-499`}},
		{`ready: {status: 2xx}`, []string{`ready.status: "2xx" is not a range of statuses; legal: one of 100 to 599, such as 200, or two with - between, such as 200-499`}},
		{`ready: {status: +20-200}`, []string{`ready.status: "+20-200" is not a range of statuses; legal: one of 100 to 599, such as 200, or two with - between, such as 200-499`}},
		{`ready: {status: 200}`, nil},
		{`ready: {timeout: 0}`, []string{`ready.timeout: 0s is out of range; legal: 1ms to 8760h`}},
		{`ready: {identity: maybe}`, []string{`ready.identity: "maybe" is none of these; legal: auto, required, off`}},
		{`ready: {warmup: -1}`, []string{`ready.warmup: -1 is out of range; legal: 0 to 1000`}},
		{`ready: {warmup: 1001}`, []string{`ready.warmup: 1001 is out of range; legal: 0 to 1000`}},
		{`port: 0`, []string{`port: 0 is out of range; legal: 1 to 65535`}},
		{`port: 65536`, []string{`port: 65536 is out of range; legal: 1 to 65535`}},
		{`pull: sometimes`, []string{`pull: "sometimes" is none of these; legal: never, missing, always`}},
		{`security: none`, []string{`security: "none" is none of these; legal: auto, strict, standard`}},
		{`resources: {memory: 5MiB, cpus: 0, pids: 0}`, []string{
			`resources.memory: 5MiB is too little; legal: 6MiB or more`,
			`resources.cpus: 0 is out of range; legal: 0.01 to 4096 cores; at most as many as the host has`,
			`resources.pids: 0 is out of range; legal: 1 to 4194304`}},
		{`resources: {memory: 6MiB, cpus: 0.01, pids: 1}`, nil},
		{`logs: {size: 63KiB, files: 0}`, []string{
			`logs.size: 63KiB is out of range; legal: 64KiB to 16GiB`,
			`logs.files: 0 is out of range; legal: 1 to 100`}},
		{`logs: {size: 17GiB, files: 101}`, []string{
			`logs.size: 17GiB is out of range; legal: 64KiB to 16GiB`,
			`logs.files: 101 is out of range; legal: 1 to 100`}},
		{`logs: {size: 64KiB, files: 1}`, nil},
		{`strip: true`, nil},
		{`command: ["", x]`, []string{`command[0]: "" names no program; legal: a program, then its arguments`}},
		{`command: [a, "b\0"]`, []string{`command[1]: "b\x00" has a NUL byte; legal: text`}},
	} {
		t.Run(c.more, func(t *testing.T) {
			var want []string
			for _, w := range c.want {
				want = append(want, "2: pools.p."+w)
			}
			if got := problemsOf(t, inPool(c.more)); !slices.Equal(got, want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}

func TestRulesOfNamesAndCapabilities(t *testing.T) {
	const (
		name = "; legal: 1 to 30 of a-z, 0-9 and -, the first a letter or digit"
		caps = `; legal: 1 to 64, each up to 100 of A-Z, a-z, 0-9, ".", "_", "~" and "-", or "*" for all that no other pool names`
	)
	var many []string
	for i := range 65 {
		many = append(many, fmt.Sprintf("c%d", i))
	}
	checkRules(t, []rule{
		{`pools: [{image: i, capabilities: [c]}]`, []string{`1: pools[0].name: is missing` + name}},
		{`pools: [{name: ""}]`, []string{`1: pools[0].name: is missing` + name}},
		{`pools: [{name: A_b}]`, []string{`1: pools[0].name: "A_b" is not a name` + name}},
		{`pools: [{name: -a}]`, []string{`1: pools[0].name: "-a" is not a name` + name}},
		{`pools: [{name: ` + strings.Repeat("a", 30) + `}]`, nil},
		{`pools: [{name: ` + strings.Repeat("a", 31) + `}]`, []string{`1: pools[0].name: "` + strings.Repeat("a", 31) + `" is not a name` + name}},
		{"pools:\n- name: a\n- name: b\n- name: a", []string{`4: pools[2].name: "a" is the name of pools[0] too; legal: names that differ`}},
		{`pools: [{name: p, image: i}]`, []string{`1: pools.p.capabilities: is missing` + caps}},
		{`pools: [{name: p, members: ["http://h:1"]}]`, []string{`1: pools.p.capabilities: is missing` + caps}},
		{`pools: [{name: p, capabilities: []}]`, []string{`1: pools.p.capabilities: is missing` + caps}},
		{`pools: [{name: p, capabilities: [` + strings.Join(many, ",") + `]}]`, []string{`1: pools.p.capabilities: 65 are too many` + caps}},
		{`pools: [{name: p, capabilities: [` + strings.Join(many[:64], ",") + `]}]`, nil},
		{`pools: [{name: p, capabilities: [a/b, "", ., .., "%2e", "a b", "ä"]}]`, []string{
			`1: pools.p.capabilities[0]: "a/b" is not a capability` + caps,
			`1: pools.p.capabilities[1]: "" is not a capability` + caps,
			`1: pools.p.capabilities[2]: "." is not a capability` + caps,
			`1: pools.p.capabilities[3]: ".." is not a capability` + caps,
			`1: pools.p.capabilities[4]: "%2e" is not a capability` + caps,
			`1: pools.p.capabilities[5]: "a b" is not a capability` + caps,
			`1: pools.p.capabilities[6]: "ä" is not a capability` + caps,
		}},
		{`pools: [{name: p, capabilities: [Ab.c_d~e-f, ..., "*"]}]`, nil},
		{"pools:\n- name: p\n  capabilities:\n  - a\n  - b\n  - a", []string{`6: pools.p.capabilities[2]: "a" is named twice; legal: each capability once`}},
		{`pools: [{name: p, strip: true}]`, []string{`1: pools.p.strip: true takes from the worker inside this binary the name of the task, which it reads from the path; legal: false, or an image of your own`}},
	})
}
