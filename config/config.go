// Package config turns a YAML file, environment and flags into one immutable Config, or into every problem there is with them.
//
// The shipped config.yaml is the reference: every key, its default, its unit, and what raising or lowering it costs.
// Loading runs in four steps, each in its own files: the text becomes a tree that knows its lines (parse.go), the tree becomes
// typed values or problems (decode.go, scalar.go), the layers are laid over each other (load.go, env.go), and the result is judged
// as a whole (validate.go and its neighbours).
package config

import "time"

// Config is everything a balancer process is told. It is never changed after Load returned it: a reload makes another.
type Config struct {
	Listen         string        `mapstructure:"listen"` // host:port for clients; port 0: any free one
	TLS            TLS           `mapstructure:"tls"`
	ProxyProtocol  ProxyProtocol `mapstructure:"proxy_protocol"`
	TrustedProxies []string      `mapstructure:"trusted_proxies"` // CIDRs whose word about a client's address is taken
	Admin          string        `mapstructure:"admin"`           // host:port of dashboard, metrics, status, control
	AdminToken     string        `mapstructure:"admin_token"`     // Bearer token; never empty when Admin is not a loopback address
	Pprof          bool          `mapstructure:"pprof"`           // profiles on the admin plane
	Planner        Planner       `mapstructure:"planner"`
	Driver         string        `mapstructure:"driver"`   // auto | docker | process
	Instance       string        `mapstructure:"instance"` // the name of this balancer on its engine
	OnExit         string        `mapstructure:"on_exit"`  // remove | leave
	Guard          Duration      `mapstructure:"guard"`    // 0: never; else at least 1 s
	Publish        string        `mapstructure:"publish"`  // loopback | network: ask ByAddress
	Ports          Ports         `mapstructure:"ports"`
	Limits         Limits        `mapstructure:"limits"`
	Log            Log           `mapstructure:"log"`
	Pools          []Pool        `mapstructure:"pools"` // 1 to 256, names unique
}

// Duration is written with a unit, 300ms or 1m30s. A plain number other than 0 is refused by Load.
type Duration = time.Duration

// Bytes is a size in bytes, written 512MiB, 64KiB, 1GB or 0. A plain number other than 0 is refused by Load.
type Bytes int64

// Planner is the optional third listener that speaks the planner protocol and nothing else.
type Planner struct {
	Listen string   `mapstructure:"listen"` // host:port; empty: off
	Allow  []string `mapstructure:"allow"`  // CIDRs that may speak to it besides this host; never empty when Listen is not a loopback address
}

// ByAddress tells whether workers are reached at the addresses of their containers, so that none has a port of the host.
func (c *Config) ByAddress() bool { return c.Publish == "network" }

// Ports is the bounded range of host ports, both ends included. Unless ByAddress there are at least as many as all scaled pools may have
// workers.
type Ports struct {
	From int `mapstructure:"from"`
	To   int `mapstructure:"to"`
}

// Limits bound what one client can cost.
type Limits struct {
	Header      Bytes     `mapstructure:"header"`      // 1 KiB to 16 MiB
	Body        Bytes     `mapstructure:"body"`        // 0: no limit
	Idle        Duration  `mapstructure:"idle"`        // 0: no limit
	Connections int       `mapstructure:"connections"` // of all clients together; 0: no limit
	PerClient   PerClient `mapstructure:"per_client"`
}

// Log is what is written about what happens, and how.
type Log struct {
	Level  string `mapstructure:"level"`  // debug | info | warn | error
	Format string `mapstructure:"format"` // auto | text | json
	Access string `mapstructure:"access"` // off | combined | json
}

// Pool is one kind of worker.
type Pool struct {
	Name         string   `mapstructure:"name"`
	Image        string   `mapstructure:"image"` // empty, with no command and no members: the worker inside this binary
	Pull         string   `mapstructure:"pull"`  // never | missing | always
	Command      []string `mapstructure:"command"`
	Port         int      `mapstructure:"port"`         // the port the worker listens on inside its container
	Env          []string `mapstructure:"env"`          // KEY=value
	Capabilities []string `mapstructure:"capabilities"` // at least one, each a path segment or "*"
	Strip        bool     `mapstructure:"strip"`
	Concurrency  int      `mapstructure:"concurrency"` // 1 to 10000
	Ramp         Duration `mapstructure:"ramp"`        // 0: a fresh worker gets all its tasks at once
	BusyStatus   int      `mapstructure:"busy_status"` // 0, or 400 to 599
	Target       Target   `mapstructure:"target"`
	Workers      Workers  `mapstructure:"workers"`
	Pick         string   `mapstructure:"pick"` // round-robin | fastest | most-recent | least-busy
	Queue        Queue    `mapstructure:"queue"`
	Timeout      Duration `mapstructure:"timeout"`      // 0: none
	IdleTimeout  Duration `mapstructure:"idle_timeout"` // 0: none
	Eject        Eject    `mapstructure:"eject"`
	Ready        Ready    `mapstructure:"ready"`
	Drain        Duration `mapstructure:"drain"`   // 0: tasks in flight are cut off at once
	Members      []string `mapstructure:"members"` // base URLs of fixed members, http://host:port

	// How far a worker is fenced in; see Security in package driver. Security is auto | strict | standard: ask SecurityLevel.
	Security string   `mapstructure:"security"`
	User     string   `mapstructure:"user"`
	ReadOnly *bool    `mapstructure:"read_only"`
	CapAdd   []string `mapstructure:"cap_add"`
	Tmpfs    []string `mapstructure:"tmpfs"`
	Shm      Bytes    `mapstructure:"shm"`
	Init     *bool    `mapstructure:"init"`
	Egress   *bool    `mapstructure:"egress"`
	Mounts   []string `mapstructure:"mounts"`
	Devices  []string `mapstructure:"devices"`
	Network  string   `mapstructure:"network"`

	Resources Resources `mapstructure:"resources"`
	Logs      Logs      `mapstructure:"logs"`
}

// Target is the promise: Percentile (50 to 99.99) of the requests answered within Latency.
type Target struct {
	Latency    Duration `mapstructure:"latency"`
	Percentile float64  `mapstructure:"percentile"`
}

// What SpareMode may be.
const (
	SpareRunning = "running"
	SparePaused  = "paused" // frozen while nobody needs it
)

// Workers bound the pool. Max counts the spare too: Min + Spare is at most Max, Spare at most SpareMax, SpareMax at most Max.
type Workers struct {
	Min      int `mapstructure:"min"`
	Max      int `mapstructure:"max"` // 0: nothing is ever started
	Spare    int `mapstructure:"spare"`
	SpareMax int `mapstructure:"spare_max"`

	SpareMode string `mapstructure:"spare_mode"` // running | paused
}

// Queue bounds waiting, per capability. Wait 0: the longest of 10 x target, 3 s and 2 x the p90 start. Length 0: nobody waits; a
// request that finds no idle worker is refused at once.
type Queue struct {
	Length int      `mapstructure:"length"`
	Wait   Duration `mapstructure:"wait"`
}

// Eject leaves a worker out for a while once Failures requests in a row broke on it: Time, and n times that the n-th time, at most 10 times.
// Failures 0: never.
type Eject struct {
	Failures int      `mapstructure:"failures"` // 0 to 1000
	Time     Duration `mapstructure:"time"`
}

// Ready says when a started worker may serve.
type Ready struct {
	Path     string   `mapstructure:"path"`
	Status   string   `mapstructure:"status"` // "200-499" or "200": ask StatusRange
	Timeout  Duration `mapstructure:"timeout"`
	Identity string   `mapstructure:"identity"` // auto | required | off
	Warmup   int      `mapstructure:"warmup"`   // requests to Path before a spare counts as ready
}

// Resources bound one worker. None of them can be switched off: a worker without bounds can take its host down.
type Resources struct {
	Memory Bytes   `mapstructure:"memory"` // at least 6 MiB
	CPUs   float64 `mapstructure:"cpus"`   // of a core, at least 0.01
	Pids   int     `mapstructure:"pids"`   // at least 1
}

// Logs bound what the engine keeps of one worker's output: at most Files files of Size each. There is no "unlimited" either.
type Logs struct {
	Size  Bytes `mapstructure:"size"`  // 64 KiB to 16 GiB
	Files int   `mapstructure:"files"` // 1 to 100
}

// Wildcard is the capability that takes what no other pool names.
const Wildcard = "*"
