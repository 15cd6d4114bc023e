// Package config turns a YAML file, environment and flags into one immutable Config, or into every problem there is with them.
//
// The shipped config.yaml is the reference: every key, its default, its unit, and what raising or lowering it costs.
package config

import "time"

// Config is everything a balancer process is told. It is never changed after Load returned it: a reload makes another.
type Config struct {
	Listen     string   `mapstructure:"listen"`
	Admin      string   `mapstructure:"admin"`
	AdminToken string   `mapstructure:"admin_token"`
	Planner    Planner  `mapstructure:"planner"`
	Driver     string   `mapstructure:"driver"` // auto | docker | process
	Instance   string   `mapstructure:"instance"`
	OnExit     string   `mapstructure:"on_exit"` // remove | leave
	Guard      Duration `mapstructure:"guard"`
	Ports      Ports    `mapstructure:"ports"`
	Limits     Limits   `mapstructure:"limits"`
	Pools      []Pool   `mapstructure:"pools"`
}

// Duration and Bytes are their own types so that a plain number in the file is refused: a unit is required.
type Duration = time.Duration

// Bytes is a size in bytes, written 512MiB, 64KiB, 1GB or 0.
type Bytes int64

// Planner is the optional third listener that speaks the planner protocol and nothing else.
type Planner struct {
	Listen string   `mapstructure:"listen"`
	Allow  []string `mapstructure:"allow"` // CIDRs
}

// Ports is the bounded range of host ports, both ends included.
type Ports struct {
	From int `mapstructure:"from"`
	To   int `mapstructure:"to"`
}

// Limits bound what one client can cost.
type Limits struct {
	Header      Bytes    `mapstructure:"header"`
	Body        Bytes    `mapstructure:"body"` // 0: no limit
	Idle        Duration `mapstructure:"idle"`
	Connections int      `mapstructure:"connections"` // 0: no limit
}

// Pool is one kind of worker.
type Pool struct {
	Name         string   `mapstructure:"name"`
	Image        string   `mapstructure:"image"`
	Pull         string   `mapstructure:"pull"`
	Command      []string `mapstructure:"command"`
	Port         int      `mapstructure:"port"`
	Env          []string `mapstructure:"env"`
	Capabilities []string `mapstructure:"capabilities"`
	Strip        bool     `mapstructure:"strip"`
	Concurrency  int      `mapstructure:"concurrency"`
	BusyStatus   int      `mapstructure:"busy_status"`
	Target       Target   `mapstructure:"target"`
	Workers      Workers  `mapstructure:"workers"`
	Pick         string   `mapstructure:"pick"` // round-robin | fastest | most-recent | least-busy
	Queue        Queue    `mapstructure:"queue"`
	Timeout      Duration `mapstructure:"timeout"`
	IdleTimeout  Duration `mapstructure:"idle_timeout"`
	Ready        Ready    `mapstructure:"ready"`
	Drain        Duration `mapstructure:"drain"`
	Members      []string `mapstructure:"members"` // base URLs of fixed members

	// How far a worker is fenced in; see Security in package driver. Security is auto | strict | standard.
	Security string   `mapstructure:"security"`
	User     string   `mapstructure:"user"`
	ReadOnly *bool    `mapstructure:"read_only"`
	CapAdd   []string `mapstructure:"cap_add"`
	Tmpfs    []string `mapstructure:"tmpfs"`
	Shm      Bytes    `mapstructure:"shm"`
	Egress   *bool    `mapstructure:"egress"`
	Mounts   []string `mapstructure:"mounts"`
	Devices  []string `mapstructure:"devices"`
	Network  string   `mapstructure:"network"`

	Resources Resources `mapstructure:"resources"`
}

// Target is the promise: Percentile of the requests answered within Latency.
type Target struct {
	Latency    Duration `mapstructure:"latency"`
	Percentile float64  `mapstructure:"percentile"`
}

// Workers bound the pool. Max counts the spare too.
type Workers struct {
	Min      int `mapstructure:"min"`
	Max      int `mapstructure:"max"`
	Spare    int `mapstructure:"spare"`
	SpareMax int `mapstructure:"spare_max"`
}

// Queue bounds waiting, per capability. Wait 0: the longest of 10 x target, 3 s and 2 x the p90 start.
type Queue struct {
	Length int      `mapstructure:"length"`
	Wait   Duration `mapstructure:"wait"`
}

// Ready says when a started worker may serve.
type Ready struct {
	Path     string   `mapstructure:"path"`
	Status   string   `mapstructure:"status"` // "200-499" or "200"
	Timeout  Duration `mapstructure:"timeout"`
	Identity string   `mapstructure:"identity"` // auto | required | off
	Warmup   int      `mapstructure:"warmup"`
}

// Resources bound one worker.
type Resources struct {
	Memory Bytes   `mapstructure:"memory"`
	CPUs   float64 `mapstructure:"cpus"`
	Pids   int     `mapstructure:"pids"`
}

// Wildcard is the capability that takes what no other pool names.
const Wildcard = "*"

// BuiltIn tells whether the pool's workers are the one inside this binary.
func (p Pool) BuiltIn() bool {
	return p.Image == "" && len(p.Command) == 0 && len(p.Members) == 0
}

// Scaled tells whether workers of this pool are ever started: a pool of fixed members alone is only balanced to.
func (p Pool) Scaled() bool {
	return p.Workers.Max > 0 && (p.Image != "" || len(p.Command) > 0 || len(p.Members) == 0)
}
