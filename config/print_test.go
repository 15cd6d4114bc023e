package config

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func printed(t *testing.T, cfg *Config) string {
	t.Helper()
	text, err := Print(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPrintGivesTheDefaultsInTheOrderOfTheStructs(t *testing.T) {
	want := `listen: "127.0.0.1:8080"
tls: {cert: "", key: "", min_version: "1.2"}
proxy_protocol: {from: []}
trusted_proxies: []
admin: "127.0.0.1:8081"
admin_token: ""
pprof: false
planner: {listen: "", allow: []}
driver: auto
instance: default
on_exit: remove
guard: 1m
publish: loopback
ports: {from: 20000, to: 20063}
limits: {header: 32KiB, body: 0, idle: 1m, connections: 0, per_client: {connections: 0, rate: 0, burst: 0}}
log: {level: info, format: auto, access: off}
pools:
  - name: general
    image: ""
    pull: missing
    command: []
    port: 8080
    env: []
    capabilities: [mult, add]
    strip: false
    concurrency: 1
    ramp: 10s
    busy_status: 0
    target: {latency: 300ms, percentile: 95}
    workers: {min: 1, max: 8, spare: 1, spare_max: 1, spare_mode: running}
    pick: round-robin
    queue: {length: 1000, wait: 0s}
    timeout: 30s
    idle_timeout: 1m
    eject: {failures: 5, time: 30s}
    ready: {path: /, status: "200-499", timeout: 30s, identity: auto, warmup: 0}
    drain: 30s
    members: []
    security: auto # strict
    user: ""
    cap_add: []
    tmpfs: []
    shm: 0
    mounts: []
    devices: []
    network: ""
    resources: {memory: 512MiB, cpus: 1, pids: 256}
    logs: {size: 10MiB, files: 3}
`
	if got := printed(t, Defaults()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPrintMasksSecrets(t *testing.T) {
	cfg := load(t, `
admin: 0.0.0.0:8081
admin_token: hush-1
pools: [{name: a, env: [API_KEY=hush-2, db_Password=hush-3, My.Token=hush-4, client_secret=hush=5, LEVEL=info, EMPTY_KEY=]}]
`)
	text := printed(t, cfg)
	if strings.Contains(text, "hush") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	if !strings.Contains(text, `admin_token: "***"`) || !strings.Contains(text, "LEVEL=info") || !strings.Contains(text, "EMPTY_KEY=,") && !strings.Contains(text, "EMPTY_KEY=]") {
		t.Errorf("got\n%s", text)
	}
	if cfg.AdminToken != "hush-1" || cfg.Pools[0].Env[0] != "API_KEY=hush-2" {
		t.Error("the configuration itself was changed")
	}
	if got := problemsOf(t, text); len(got) != 5 {
		t.Errorf("the masked output loads with %d problems, want one for each of 5 secrets: %q", len(got), got)
	}
}

func TestPrintRefusesWhatYAMLCannotHold(t *testing.T) {
	cfg := Defaults()
	cfg.Pools[0].Command = []string{"\xff"}
	if text, err := Print(cfg); err == nil || text != nil || !strings.Contains(err.Error(), "cannot be written as YAML") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestWhatIsPrintedLoadsAgainAndIsEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 80 {
		cfg := randomConfig(r)
		text := printed(t, cfg)
		again, err := Load(Source{Default: []byte(text)})
		if err != nil {
			t.Fatalf("round %d: %v\n%s", i, err, text)
		}
		if !reflect.DeepEqual(again, cfg) {
			t.Fatalf("round %d: got\n%+v\nwant\n%+v\nfrom\n%s", i, again, cfg, text)
		}
	}
}

// randomConfig makes a legal configuration with values all over the ranges, texts that YAML finds hard among them.
func randomConfig(r *rand.Rand) *Config {
	d := func(most time.Duration) Duration { return Duration(r.Int64N(int64(most))) + 1 }
	c := &Config{
		Listen: pick(r, "127.0.0.1:8080", "[::1]:0", ":9000"), Admin: pick(r, "127.0.0.1:81", "[::1]:82"),
		Planner: Planner{Listen: pick(r, "", "0.0.0.0:3000"), Allow: []string{"10.0.0.0/8"}},
		Driver:  "auto", Instance: pick(r, "true", "null", "007", "a.b_c", "1e5"), OnExit: pick(r, "remove", "leave"), Publish: pick(r, "loopback", "network"),
		Log: Log{Level: pick(r, "debug", "warn"), Format: pick(r, "auto", "text", "json"), Access: pick(r, "off", "combined", "json")}, Pprof: r.IntN(2) == 0,
		Guard: pick(r, 0, time.Second+d(time.Hour)), Ports: Ports{20000, 20000 + r.IntN(1000) + 500},
		Limits: Limits{
			Bytes(1024 + r.IntN(1e6)), Bytes(r.Int64N(1 << 50)), d(time.Hour), r.IntN(100),
			PerClient{r.IntN(9), pick(r, 0, 0.001+r.Float64()), r.IntN(9)},
		},
		TLS: TLS{MinVersion: pick(r, "1.2", "1.3")}, ProxyProtocol: ProxyProtocol{some(r, "10.0.0.0/8", "::/0")}, TrustedProxies: some(r, "fd00::/8"),
	}
	for i := range 1 + r.IntN(4) {
		c.Pools = append(c.Pools, randomPool(r, fmt.Sprintf("p%d", i)))
	}
	return c
}

func randomPool(r *rand.Rand, name string) Pool {
	d := func() Duration { return Duration(r.Int64N(int64(24*time.Hour))) + Duration(time.Millisecond) }
	p := Pool{
		Name: name, Image: pick(r, "", "a/b:1.10", "localhost:5000/x"), Pull: pick(r, "never", "always"), Port: 1 + r.IntN(65535),
		Env:          some(r, "A=", "B=a: b #c", "C=\u00a0\u2028x", "D=\n x\t\n", "E='\"\\", "F=🚢,]}", "G=\x01\x7f\u0085\ufeff", "H=%s{}"),
		Command:      some(r, "run", "-", "~", "*a", "&b", "!c", "{", "|", "null", "0x1F", "1_0", "", " ", "a\r\nb", "$PORT", "<<", "=", "?"),
		Capabilities: append(some(r, "true", "1.10", "~", "-", "...", "0x1"), "*"),
		Concurrency:  1 + r.IntN(10000), Ramp: d(), BusyStatus: pick(r, 0, 400+r.IntN(200)),
		Target:  Target{d(), 50 + r.Float64()*49},
		Workers: Workers{r.IntN(50), 51 + r.IntN(50), 1, 1 + r.IntN(50), pick(r, "running", "paused")}, Pick: pick(r, "fastest", "least-busy"),
		Queue: Queue{r.IntN(1000), d()}, Timeout: d(), IdleTimeout: pick(r, 0, d()), Drain: d(), Eject: Eject{r.IntN(1001), d()},
		Ready:    Ready{pick(r, "/", "/a?b=c&d"), pick(r, "200", "200-499"), d(), pick(r, "auto", "off"), r.IntN(10)},
		Security: pick(r, "auto", "strict", "standard"), User: pick(r, "", "0", "1000:1000"), ReadOnly: pick(r, nil, new(true), new(false)),
		CapAdd: some(r, "KILL"), Tmpfs: some(r, "/a b", "/c:size=1m"), Shm: Bytes(r.Int64N(1 << 40)), Init: pick(r, nil, new(true), new(false)), Egress: pick(r, nil, new(true), new(false)),
		Mounts: some(r, "/a:/b", "/c d:/e:ro"), Devices: some(r, "/dev/x"), Network: pick(r, "", "1"),
		Resources: Resources{Bytes(6<<20 + r.Int64N(1<<40)), 0.01 + r.Float64(), 1 + r.IntN(1000)},
		Logs:      Logs{Bytes(64<<10 + r.Int64N(1<<30)), 1 + r.IntN(100)},
	}
	if len(p.Command) > 0 {
		p.Command[0] = "run"
	}
	if p.Image != "" || len(p.Command) > 0 {
		p.Strip, p.Members = r.IntN(2) == 0, some(r, "http://h:1", "http://[::1]:2/")
	}
	return p
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// some of these texts in any order, or none; none is nil.
func some(r *rand.Rand, of ...string) []string {
	r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	if n := r.IntN(len(of) + 1); n > 0 {
		return slices.Clone(of[:n])
	}
	return nil
}
