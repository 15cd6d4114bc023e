package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	src := Source{
		File: write(t, "listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\ninstance: from-file\nports: {from: 100, to: 200}\nlimits: {body: 5MiB}"),
		Env: []string{
			"UNDERSTUDY_ADMIN=127.0.0.1:12", "UNDERSTUDY_INSTANCE=from-env", "UNDERSTUDY_PORTS_FROM=110", "UNDERSTUDY_GUARD=5s",
		},
		Overrides: map[string]any{"instance": "from-flag", "ports.from": 120, "on_exit": "leave"},
	}
	cfg, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Listen, want.Admin, want.Instance, want.OnExit = "127.0.0.1:1", "127.0.0.1:12", "from-flag", "leave"
	want.Ports, want.Guard, want.Limits.Body = Ports{120, 200}, 5*time.Second, 5<<20
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestEveryScalarOutsidePoolsIsAnEnvironmentVariable(t *testing.T) {
	for name, c := range map[string]struct {
		value string
		get   func(*Config) any
		want  any
	}{
		"UNDERSTUDY_LISTEN":             {"127.0.0.1:81", func(c *Config) any { return c.Listen }, "127.0.0.1:81"},
		"UNDERSTUDY_ADMIN":              {"127.0.0.1:82", func(c *Config) any { return c.Admin }, "127.0.0.1:82"},
		"UNDERSTUDY_ADMIN_TOKEN":        {"A=b.C", func(c *Config) any { return c.AdminToken }, "A=b.C"},
		"UNDERSTUDY_PPROF":              {"true", func(c *Config) any { return c.Pprof }, true},
		"UNDERSTUDY_PLANNER_LISTEN":     {"127.0.0.1:83", func(c *Config) any { return c.Planner.Listen }, "127.0.0.1:83"},
		"UNDERSTUDY_PLANNER_ALLOW":      {"10.0.0.0/8, fd00::/8", func(c *Config) any { return c.Planner.Allow }, []string{"10.0.0.0/8", "fd00::/8"}},
		"UNDERSTUDY_DRIVER":             {"docker", func(c *Config) any { return c.Driver }, "docker"},
		"UNDERSTUDY_INSTANCE":           {"a.b", func(c *Config) any { return c.Instance }, "a.b"},
		"UNDERSTUDY_LOG_LEVEL":          {"debug", func(c *Config) any { return c.Log.Level }, "debug"},
		"UNDERSTUDY_LOG_FORMAT":         {"json", func(c *Config) any { return c.Log.Format }, "json"},
		"UNDERSTUDY_LOG_ACCESS":         {"combined", func(c *Config) any { return c.Log.Access }, "combined"},
		"UNDERSTUDY_ON_EXIT":            {"leave", func(c *Config) any { return c.OnExit }, "leave"},
		"UNDERSTUDY_PUBLISH":            {"network", func(c *Config) any { return c.Publish }, "network"},
		"UNDERSTUDY_GUARD":              {"0", func(c *Config) any { return c.Guard }, time.Duration(0)},
		"UNDERSTUDY_PORTS_FROM":         {"20001", func(c *Config) any { return c.Ports.From }, 20001},
		"UNDERSTUDY_PORTS_TO":           {"20062", func(c *Config) any { return c.Ports.To }, 20062},
		"UNDERSTUDY_LIMITS_HEADER":      {"64KiB", func(c *Config) any { return c.Limits.Header }, Bytes(64 << 10)},
		"UNDERSTUDY_LIMITS_BODY":        {"1GB", func(c *Config) any { return c.Limits.Body }, Bytes(1e9)},
		"UNDERSTUDY_LIMITS_IDLE":        {"1m30s", func(c *Config) any { return c.Limits.Idle }, 90 * time.Second},
		"UNDERSTUDY_LIMITS_CONNECTIONS": {"7", func(c *Config) any { return c.Limits.Connections }, 7},
		"UNDERSTUDY_TLS_MIN_VERSION":    {"1.3", func(c *Config) any { return c.TLS.MinVersion }, "1.3"},
		"UNDERSTUDY_TRUSTED_PROXIES":    {"10.0.0.0/8,fd00::/8", func(c *Config) any { return c.TrustedProxies }, []string{"10.0.0.0/8", "fd00::/8"}},

		"UNDERSTUDY_PROXY_PROTOCOL_FROM":           {"10.0.0.0/8", func(c *Config) any { return c.ProxyProtocol.From }, []string{"10.0.0.0/8"}},
		"UNDERSTUDY_LIMITS_PER_CLIENT_CONNECTIONS": {"8", func(c *Config) any { return c.Limits.PerClient.Connections }, 8},
		"UNDERSTUDY_LIMITS_PER_CLIENT_RATE":        {"0.5", func(c *Config) any { return c.Limits.PerClient.Rate }, 0.5},
		"UNDERSTUDY_LIMITS_PER_CLIENT_BURST":       {"9", func(c *Config) any { return c.Limits.PerClient.Burst }, 9},
	} {
		cfg, err := Load(Source{Env: []string{name + "=" + c.value}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := c.get(cfg); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s gives %v, want %v", name, got, c.want)
		}
	}
	if n := len(leaves(reflect.TypeFor[Config](), "", false)); n != 28 { // and tls.cert, tls.key, which need files: tls_test.go
		t.Errorf("there are %d keys outside pools; this test knows 28", n)
	}
}

func TestEnvironmentThatIsNoKeyIsLeftAlone(t *testing.T) {
	cfg, err := Load(Source{Env: []string{"UNDERSTUDY_IDENTITY=x", "UNDERSTUDY_POOLS=x", "UNDERSTUDY_LISTEN=", "understudy_admin=x", "LISTEN=x", "UNDERSTUDY_"}})
	if err != nil || !reflect.DeepEqual(cfg, Defaults()) {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

func TestTheProcessEnvironmentIsNotRead(t *testing.T) {
	t.Setenv("UNDERSTUDY_INSTANCE", "leaked")
	t.Setenv("INSTANCE", "leaked")
	if cfg, err := Load(Source{}); err != nil || cfg.Instance != "default" {
		t.Errorf("got %q, %v", cfg.Instance, err)
	}
}

func TestFlagsMayBeTextsOrTyped(t *testing.T) {
	cfg, err := Load(Source{Overrides: map[string]any{
		"guard": 90 * time.Second, "limits.idle": "5s", "limits.body": Bytes(512), "limits.header": "2KiB", "ports.from": "20001", "limits.connections": 3,
		"planner.listen": "", "planner.allow": []string{"10.0.0.0/8"}, "driver": nil,
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Guard, want.Limits = 90*time.Second, Limits{Header: 2048, Body: 512, Idle: 5 * time.Second, Connections: 3}
	want.Ports.From, want.Planner.Allow = 20001, []string{"10.0.0.0/8"}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestProblemsNameWhereTheValueCameFrom(t *testing.T) {
	file := write(t, "# x\nguard: 5\nports:\n  to: 20000")
	_, err := Load(Source{
		File:      file,
		Env:       []string{"UNDERSTUDY_PORTS_FROM=20010", "UNDERSTUDY_LIMITS_BODY=5", "UNDERSTUDY_GUARD=6"},
		Overrides: map[string]any{"on_exit": "stay", "lisen": "x", "limits.idle": []string{"a"}},
	})
	want := []string{
		file + `:2: guard: "5" has no unit; legal: a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0`,
		`$UNDERSTUDY_GUARD: guard: "6" has no unit; legal: a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0`,
		`$UNDERSTUDY_LIMITS_BODY: limits.body: "5" has no unit; legal: a size with a unit of B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 512MiB, or 0`,
		`--limits-idle: limits.idle: is not a single value; legal: a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0`,
		`--lisen: lisen: is not a key that a flag can set; the nearest is listen`,
		`$UNDERSTUDY_PORTS_FROM: ports.from: 20010 is more than ports.to, 20000; legal: 1 to 20000`,
		`--on-exit: on_exit: "stay" is none of these; legal: remove, leave`,
	}
	got := linesOf(t, err)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestItemsOfAListComeFromWhereTheListCameFrom(t *testing.T) {
	_, err := Load(Source{
		Default:   []byte("planner:\n  allow: [10.0.0.0/8, 11.0.0.0/8]"),
		Overrides: map[string]any{"planner.allow": []string{"10.0.0.0/8", "x"}},
	})
	want := `--planner-allow: planner.allow[1]: "x" is not a network; legal: a CIDR such as 172.16.0.0/12, or 10.1.2.3/32 for one host`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNothingIsJudgedByDefaultsWhenTheFileCannotBeRead(t *testing.T) {
	for _, src := range []Source{{File: "missing"}, {Default: []byte("a: b: c")}, {Default: []byte("- a")}} {
		src.Overrides = map[string]any{"ports.to": 20000} // too few for the default pool
		_, err := Load(src)
		if lines := linesOf(t, err); len(lines) != 1 {
			t.Errorf("got %q", lines)
		}
	}
}

func TestLetterCaseAndDotsInValuesAndListsSurvive(t *testing.T) {
	p := load(t, `
pools:
  - name: p
    image: Registry.Example/render:V1.4
    capabilities: [Render.PDF, "*"]
    env: [API_KEY=Some.Value/With=Signs, Spring.Profiles=A.b, "EMPTY=", NUMBER=007]
    command: [/Bin/Serve, --Port, "$PORT", 1.10, true, 0x1F]
    cap_add: [NET_BIND_SERVICE]
    user: 0123:App
`).Pools[0]
	if p.Image != "Registry.Example/render:V1.4" || p.User != "0123:App" {
		t.Errorf("image %q, user %q", p.Image, p.User)
	}
	for _, c := range [][2][]string{
		{p.Capabilities, {"Render.PDF", "*"}},
		{p.Env, {"API_KEY=Some.Value/With=Signs", "Spring.Profiles=A.b", "EMPTY=", "NUMBER=007"}},
		{p.Command, {"/Bin/Serve", "--Port", "$PORT", "1.10", "true", "0x1F"}},
		{p.CapAdd, {"NET_BIND_SERVICE"}},
	} {
		if !slices.Equal(c[0], c[1]) {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

func TestTextsAreTakenAsWritten(t *testing.T) {
	for _, token := range []string{"00123", "1e5", "0x10", "true", "no", "2026-01-01", "1_000", "1.50"} {
		if got := load(t, "admin_token: "+token).AdminToken; got != token {
			t.Errorf("admin_token: %s gives %q", token, got)
		}
	}
}

func TestAnchorsAndMergesShareSettings(t *testing.T) {
	cfg := load(t, `
pools:
  - &base
    name: a
    image: img
    capabilities: [x]
    workers: &w {max: 4}
    port: 81
  - {<<: *base, name: b, port: 82}
  - {name: c, <<: [{port: 83}, *base], workers: {<<: *w, min: 2}}
`)
	var ports []int
	for _, p := range cfg.Pools {
		ports = append(ports, p.Port)
		if p.Image != "img" || p.Workers.Max != 4 {
			t.Errorf("pool %s: %+v", p.Name, p)
		}
	}
	if !slices.Equal(ports, []int{81, 82, 83}) || cfg.Pools[2].Workers.Min != 2 {
		t.Errorf("ports %v, workers %+v", ports, cfg.Pools[2].Workers)
	}
}

func TestLoadKeepsNothingBetweenCalls(t *testing.T) {
	file := write(t, "instance: first\npools: [{name: a, workers: {max: 3}}]")
	first, err := Load(Source{File: file})
	if err != nil {
		t.Fatal(err)
	}
	first.Pools[0].Capabilities[0] = "scribbled"
	if err := os.WriteFile(file, []byte("guard: 5s"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Guard = 5 * time.Second
	if second, err := Load(Source{File: file}); err != nil || !reflect.DeepEqual(second, want) {
		t.Errorf("got %+v, %v", second, err)
	}
}

func TestAFileThatCannotBeReadIsAProblem(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yaml")
	for file, want := range map[string]string{
		missing:                                missing + ": cannot be read: no such file or directory; legal: a readable YAML file",
		dir:                                    dir + ": cannot be read: is a directory; legal: a readable YAML file",
		write(t, " \n"):                        " is empty; legal: a YAML file; to run with the defaults, name no file",
		write(t, strings.Repeat("#", 1<<20+1)): " has more than 1 MiB; legal: a YAML file of at most 1 MiB",
	} {
		cfg, err := Load(Source{File: file})
		var ps Problems
		if !errors.As(err, &ps) || len(ps) != 1 || !strings.HasSuffix(err.Error(), strings.TrimSpace(want)) || cfg != nil {
			t.Errorf("got %v, %v, want %s", cfg, err, want)
		}
	}
}

func TestAFileOfCommentsIsTheDefaults(t *testing.T) {
	for _, text := range []string{"# nothing\n", "---\n# nothing\n", "~", "{}", "pools:\n", "planner:\n"} {
		if cfg := load(t, text); !reflect.DeepEqual(cfg, Defaults()) {
			t.Errorf("%q gives %+v", text, cfg)
		}
	}
}
