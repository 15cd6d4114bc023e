package config

import (
	"slices"
	"strings"
	"testing"
)

func TestUnknownKeysNameTheNearestKnownOne(t *testing.T) {
	checkRules(t, []rule{
		{"lisen: x", []string{"1: lisen: is not a known key; the nearest is listen"}},
		{"LISEN: x", []string{"1: LISEN: is not a known key; the nearest is listen"}},
		{"Listen: x", []string{"1: Listen: is not a known key; keys are in lower case: listen"}},
		{"onExit: leave", []string{"1: onExit: is not a known key; the nearest is on_exit"}},
		{"planner.listen: x", []string{"1: planner.listen: is not a known key; the nearest is planner.listen"}},
		{"image: x", []string{"1: image: is not a known key; the nearest is pools[].image"}},
		{"planner: {alow: []}", []string{"1: planner.alow: is not a known key; the nearest is allow"}},
		{"pools: [{name: a, capabilites: [x]}]", []string{"1: pools.a.capabilites: is not a known key; the nearest is capabilities"}},
		{"pools: [{name: a, latency: 1s}]", []string{"1: pools.a.latency: is not a known key; the nearest is target.latency"}},
		{"pools: [{name: a, max: 1}]", []string{"1: pools.a.max: is not a known key; the nearest is workers.max"}},
		{"pools: [{name: a, Image: x}]", []string{"1: pools.a.Image: is not a known key; keys are in lower case: image"}},
		{"pools:\n- name: a\n  workers:\n    min: 1\n    maxx: 2", []string{"5: pools.a.workers.maxx: is not a known key; the nearest is max"}},
		{"pools: [{name: a, ready: {Path: /}}]", []string{"1: pools.a.ready.Path: is not a known key; keys are in lower case: path"}},
		{"\"a\\nb\": 1", []string{`1: "a\nb": is not a known key; the nearest is tls`}},
		{"? [a]\n: 1", []string{"1: has a key that is not a word"}},
		{"1: x", []string{"1: 1: is not a known key; the nearest is ports.to"}},
	})
}

func TestDistanceIsTheFewestLettersToChange(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"lisen", "listen", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestWhatIsNotTheShapeAKeyHolds(t *testing.T) {
	const duration = "; legal: a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0"
	checkRules(t, []rule{
		{"- a", []string{"1: is not a mapping; legal: keys at the top: listen, tls, proxy_protocol, trusted_proxies, admin, admin_token, pprof, planner, driver, instance, on_exit, guard, publish, ports, limits, log, pools"}},
		{"just text", []string{"1: is not a mapping; legal: keys at the top: listen, tls, proxy_protocol, trusted_proxies, admin, admin_token, pprof, planner, driver, instance, on_exit, guard, publish, ports, limits, log, pools"}},
		{"ports: 5", []string{`1: ports: "5" is not a mapping; legal: keys below it: from, to`}},
		{"planner: {allow: 10.0.0.0/8}", []string{`1: planner.allow: "10.0.0.0/8" is not a list; legal: a list, such as [a, b]`}},
		{"pools: general", []string{`1: pools: "general" is not a list; legal: a list, such as [a, b]`}},
		{"pools: {general: {}}", []string{`1: pools: is not a list; legal: a list, such as [a, b]`}},
		{"listen: [a]", []string{`1: listen: is not a single value; legal: one text`}},
		{"listen: !mine a", []string{`1: listen: "a" is not a single value; legal: one text`}},
		{"listen: !!binary aGk=", []string{`1: listen: "aGk=" is not a single value; legal: one text`}},
		{"guard: {s: 1}", []string{`1: guard: is not a single value` + duration}},
		{"pools:\n- name: a\n  env:\n  - API_KEY: x\n  - ", []string{
			`4: pools.a.env[0]: is not a single value; legal: one text`,
			`5: pools.a.env[1]: is empty; legal: a text; quote it when it is meant to be empty`}},
		{"ports: {from: 010, to: 2e4}", []string{
			`1: ports.from: "010" is not a whole number; legal: a whole number`,
			`1: ports.to: "2e4" is not a whole number; legal: a whole number`}},
		{"ports: {from: 1.5, to: 99999999999999999999}", []string{
			`1: ports.from: "1.5" is not a whole number; legal: a whole number`,
			`1: ports.to: "99999999999999999999" is too large; legal: a whole number`}},
		{inPool("target: {latency: 300}"), []string{`2: pools.p.target.latency: "300" has no unit` + duration}},
		{inPool("target: {latency: 0.3}"), []string{`2: pools.p.target.latency: "0.3" has no unit` + duration}},
		{inPool("target: {latency: 1d}"), []string{`2: pools.p.target.latency: "1d" is not a duration` + duration}},
		{inPool("target: {percentile: p95}"), []string{`2: pools.p.target.percentile: "p95" is not a number; legal: a number`}},
		{inPool("target: {percentile: .nan}"), []string{`2: pools.p.target.percentile: ".nan" is not a number; legal: a number`}},
		{inPool("target: {percentile: 1e999}"), []string{`2: pools.p.target.percentile: "1e999" is too large; legal: a number`}},
		{inPool("strip: yes"), []string{`2: pools.p.strip: "yes" is neither true nor false; legal: true or false`}},
		{inPool("read_only: 1"), []string{`2: pools.p.read_only: "1" is neither true nor false; legal: true or false`}},
		{inPool("resources: {memory: 512}"), []string{`2: pools.p.resources.memory: "512" has no unit; legal: a size with a unit of B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 512MiB, or 0`}},
		{"pools: [general, ~]", []string{
			`1: pools[0]: "general" is not a mapping; legal: keys below it: ` + poolKeys,
			`1: pools[1]: is not a mapping; legal: keys below it: ` + poolKeys}},
	})
}

const poolKeys = "name, image, pull, command, port, env, capabilities, strip, concurrency, ramp, busy_status, target, workers, pick, queue, timeout, " +
	"idle_timeout, eject, ready, drain, members, security, user, read_only, cap_add, tmpfs, shm, init, egress, mounts, devices, network, resources, logs"

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	checkRules(t, []rule{
		{"listen: a\n  b: c\n", []string{"2: is not YAML (mapping values are not allowed in this context)"}},
		{"listen: 'a\n", []string{"2: is not YAML (found unexpected end of stream)"}},
		{"a: 1\n\tb: 2", []string{"2: is not YAML (found a tab character that violates indentation)"}},
		{"pools: *nobody", []string{" is not YAML (unknown anchor 'nobody' referenced)"}},
		{"guard: 5s\n---\nguard: 6s", []string{"2: has a second document; legal: one YAML document in the file"}},
		{"guard: \xff", []string{" is not YAML (invalid leading UTF-8 octet)"}},
		{"guard: 5s\n--- {}\n--- [", []string{"2: has a second document; legal: one YAML document in the file"}},
		{"guard: 5s\n---\n'", []string{"3: is not YAML (found unexpected end of stream)"}},
	})
}

func TestKeysGivenTwiceAreProblems(t *testing.T) {
	checkRules(t, []rule{
		{"guard: 5s\nlisten: :1\nguard: 6s", []string{"3: guard: is given twice, first in line 1"}},
		{"pools:\n- name: a\n  workers: {max: 2,\n    max: 3}", []string{"4: pools.a.workers.max: is given twice, first in line 3"}},
		{"pools:\n- name: a\n  <<: {port: 1}\n  <<: {port: 2}", []string{"4: pools.a.\"<<\": is given twice, first in line 3"}},
	})
}

func TestMergesThatCannotBeFollowed(t *testing.T) {
	checkRules(t, []rule{
		{"pools: [{name: a, <<: text}]", []string{"1: pools.a: merges (<<) something that has no keys; legal: a mapping, or a list of mappings"}},
		{"pools: [{name: a, <<: [text]}]", []string{"1: pools.a: merges (<<) something that has no keys; legal: a mapping, or a list of mappings"}},
		{"pools: [{name: a, <<: [" + strings.Repeat("{},", 9) + "]}]", []string{"1: pools.a: merges (<<) too much; legal: at most 8 mappings, and as many within each other"}},
		{"pools: [{name: a, <<: [" + strings.Repeat("{},", 8) + "]}]", nil},
		{"pools: [&a {name: a, <<: *a}]", []string{"1: pools.a: merges (<<) too much; legal: at most 8 mappings, and as many within each other"}},
		{"pools: [&a {name: a, env: [*a]}]", []string{"1: pools.a.env[0]: is not a single value; legal: one text"}},
	})
}

func TestAllProblemsComeAtOnceInTheOrderOfTheFile(t *testing.T) {
	got := problemsOf(t, `lisen: 127.0.0.1:8080
admin: 0.0.0.0:8081
driver: podman
guard: 60
ports: {from: 20010, to: 20000}
pools:
  - name: Bad Name
    capabilities: [a/b]
    target: {latency: 300}
    workers: {min: 3, max: 2}
  - name: pdf
    image: Render
    env: [SECRET]
    ready: {path: health}
    pick: random
`)
	want := []string{
		`1: lisen: is not a known key; the nearest is listen`,
		`2: admin: "0.0.0.0:8081" can be reached from other hosts and there is no admin_token; legal: a loopback address such as 127.0.0.1:8081, or set admin_token`,
		`3: driver: "podman" is none of these; legal: auto, docker, process`,
		`4: guard: "60" has no unit; legal: a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0`,
		`5: ports.from: 20010 is more than ports.to, 20000; legal: 1 to 20000`,
		`7: pools[0].name: "Bad Name" is not a name; legal: 1 to 30 of a-z, 0-9 and -, the first a letter or digit`,
		`8: pools[0].capabilities[0]: "a/b" is not a capability; legal: 1 to 64, each up to 100 of A-Z, a-z, 0-9, ".", "_", "~" and "-", or "*" for all that no other pool names`,
		`9: pools[0].target.latency: "300" has no unit; legal: a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0`,
		`10: pools[0].workers.min: 3 is more than workers.max, 2; legal: 0 to 2`,
		`11: pools.pdf.capabilities: is missing; legal: 1 to 64, each up to 100 of A-Z, a-z, 0-9, ".", "_", "~" and "-", or "*" for all that no other pool names`,
		`12: pools.pdf.image: "Render" is not an image; legal: [registry[:port]/]name[:tag][@digest], the name in lower case, such as ghcr.io/me/render:1.4`,
		`13: pools.pdf.env[0]: is not KEY=value; legal: a name of letters, digits, _, . and -, then =, then the value`,
		`14: pools.pdf.ready.path: "health" is not a path; legal: a path that begins with /, escaped where a URL needs it`,
		`15: pools.pdf.pick: "random" is none of these; legal: round-robin, fastest, most-recent, least-busy`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestAMistakeIsNotFollowedByOnesThatOnlyComeFromIt(t *testing.T) {
	checkRules(t, []rule{
		{"ports: {from: x, to: 10}", []string{`1: ports.from: "x" is not a whole number; legal: a whole number`}},
		{"pools: [{name: a, workers: {min: 20, max: x}}]", []string{`1: pools.a.workers.max: "x" is not a whole number; legal: a whole number`}},
		{"pools: [{name: a, workers: 5}]", []string{`1: pools.a.workers: "5" is not a mapping; legal: keys below it: min, max, spare, spare_max, spare_mode`}},
		{"pools: [{name: a, image: i, capabilities: x}]", []string{`1: pools.a.capabilities: "x" is not a list; legal: a list, such as [a, b]`}},
		{"ports: {from: 30000, to: x}", []string{`1: ports.to: "x" is not a whole number; legal: a whole number`}},
		{"ports: {from: x, to: 20001}", []string{`1: ports.from: "x" is not a whole number; legal: a whole number`}},
		{"ports: {from: 100, to: 103}\npools: [{name: a, workers: {max: x}}]", []string{`2: pools.a.workers.max: "x" is not a whole number; legal: a whole number`}},
		{"admin: :8081\nadmin_token: [x]", []string{`2: admin_token: is not a single value; legal: one text`}},
		{"planner: {listen: ':3000', allow: [[x]]}", []string{`1: planner.allow[0]: is not a single value; legal: one text`}},
		{"driver: docker\npools: [{name: a, image: [x], command: [y], capabilities: [z]}]", []string{`2: pools.a.image: is not a single value; legal: one text`}},
		{"driver: process\npools: [{name: a, image: x, command: y, capabilities: [z]}]", []string{`2: pools.a.command: "y" is not a list; legal: a list, such as [a, b]`}},
		{"pools: [{name: [x]}, {name: [x]}]", []string{`1: pools[0].name: is not a single value; legal: one text`, `1: pools[1].name: is not a single value; legal: one text`}},
		{"admin: nowhere\nlisten: nowhere", []string{
			`1: admin: "nowhere" is not an address; legal: host:port with a port of 0 to 65535, such as 127.0.0.1:8080`,
			`2: listen: "nowhere" is not an address; legal: host:port with a port of 0 to 65535, such as 127.0.0.1:8080`}},
	})
}

func TestSecretsAreNeverShown(t *testing.T) {
	for _, text := range []string{
		"admin_token: 'hush hush'", "admin_token: !x hush", "pools: [{name: a, env: SECRET=hush}]", "pools: [{name: a, env: [hush]}]",
		"pools: [{name: a, env: [!x hush]}]", "pools: [{name: a, env: [A=1, \"A=hush\"]}]", "pools: [{name: a, env: [PORT=hush]}]",
	} {
		got := problemsOf(t, text)
		if len(got) != 1 || strings.Contains(got[0], "hush") {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestValuesAreShownShortAndHarmless(t *testing.T) {
	got := problemsOf(t, "driver: \"\\e[31m"+strings.Repeat("x", 100)+"\"")
	want := []string{`1: driver: "\x1b[31m` + strings.Repeat("x", 55) + `…" is none of these; legal: auto, docker, process`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProblemsBeyondTheListedOnesAreCounted(t *testing.T) {
	got := problemsOf(t, strings.Repeat("? [a]\n: 1\n", mostProblems+3))
	if len(got) != mostProblems+1 || got[mostProblems] != "and 3 more problems" {
		t.Errorf("%d lines, the last is %q", len(got), got[len(got)-1])
	}
}
