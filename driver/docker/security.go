package docker

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// What workers get when nothing else is said.
const (
	defaultUser   = "65532:65532" // nobody in particular, and surely not root
	defaultMemory = 512 << 20
	defaultCPUs   = 1.0
	defaultPids   = 256
	defaultLog    = 10 << 20 // a file, of which there are
	defaultLogs   = 3
	stopTimeout   = 10 // s, for whoever stops a worker by hand; our own Stop brings its grace along
	oomScore      = 500
	fileLimit     = 4096
)

// fence is how far a worker is fenced in, with every "as the level says" resolved.
type fence struct {
	user     string // empty: the image's own
	signal   string // that asks it to end; empty: the image's own
	readOnly bool
	capAdd   []string
	tmpfs    map[string]string
	shm      int64 // bytes
	egress   bool
	init     *bool // nil: as the engine does
	ulimits  []*container.Ulimit
}

// strict is for images made for it: no root, nothing to write to, no capabilities, no way out.
func strict(imageUser string) fence {
	yes := true
	return fence{
		user:     unprivileged(imageUser),
		signal:   "SIGTERM",
		readOnly: true,
		shm:      16 << 20,
		init:     &yes,
		ulimits: []*container.Ulimit{
			{Name: "nofile", Soft: fileLimit, Hard: fileLimit},
			{Name: "core", Soft: 0, Hard: 0},
		},
	}
}

// standard is for images made elsewhere. They bring their own user, stop signal and first process, write to their root, and
// need the few capabilities that an entrypoint drops its rights with.
func standard() fence {
	return fence{
		capAdd: driver.LevelStandard.Capabilities(),
		shm:    64 << 20,
		egress: true,
	}
}

// unprivileged is the image's user unless that is root.
func unprivileged(imageUser string) string {
	if driver.RootUser(imageUser) {
		return defaultUser
	}
	return imageUser
}

// fenceFor resolves a worker's security: the level's defaults, then each key that overrides one.
func fenceFor(spec driver.Spec, imageUser string) fence {
	s := spec.Security
	f := standard()
	if level(spec) == driver.LevelStrict {
		f = strict(imageUser)
	}
	if s.User != "" {
		f.user = s.User
	}
	if s.ReadOnly != nil {
		f.readOnly = *s.ReadOnly
	}
	if s.Egress != nil {
		f.egress = *s.Egress
	}
	if s.Shm > 0 {
		f.shm = s.Shm
	}
	if s.Init != nil {
		f.init = s.Init
	}
	f.capAdd = append(f.capAdd, s.CapAdd...)
	f.tmpfs = tmpfs(f, level(spec), s.Tmpfs)
	return f
}

// level is the spec's, or what "auto" means.
func level(spec driver.Spec) driver.Level {
	switch {
	case spec.Security.Level != "":
		return spec.Security.Level
	case spec.Image == "":
		return driver.LevelStrict
	}
	return driver.LevelStandard
}

// tmpfs: a small /tmp wherever the root cannot or should not be written to, and what the configuration names.
func tmpfs(f fence, l driver.Level, named []string) map[string]string {
	const options = "rw,noexec,nosuid,nodev,size=64m"
	out := map[string]string{}
	if f.readOnly || l == driver.LevelStrict {
		out["/tmp"] = options
	}
	for _, mount := range named {
		path, opts, ok := strings.Cut(mount, ":")
		if !ok {
			opts = options
		}
		out[path] = opts
	}
	return out
}

// hostConfig is everything about the container that is the host's business. ports, network, mounts and devices come on top.
func hostConfig(spec driver.Spec, f fence) *container.HostConfig {
	return &container.HostConfig{
		CapDrop:        []string{"ALL"},
		CapAdd:         slices.Clone(f.capAdd),
		SecurityOpt:    []string{"no-new-privileges:true"}, // and nothing else: the engine's seccomp and AppArmor defaults stay
		ReadonlyRootfs: f.readOnly,
		Tmpfs:          maps.Clone(f.tmpfs),
		ShmSize:        f.shm,
		Init:           f.init,
		IpcMode:        container.IPCModePrivate,
		CgroupnsMode:   container.CgroupnsModePrivate,
		OomScoreAdj:    oomScore, // workers die before the engine and the balancer
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		LogConfig:      logConfig(spec.Logs),
		Resources:      resources(spec.Resources, f),
	}
}

// logConfig: a log of its own limits, for those of the engine's configuration reach containers only where somebody wrote them down.
func logConfig(l driver.LogLimits) container.LogConfig {
	size, files := l.Size, l.Files
	if size <= 0 {
		size = defaultLog
	}
	if files <= 0 {
		files = defaultLogs
	}
	config := map[string]string{"max-size": strconv.FormatInt(size, 10), "max-file": strconv.Itoa(files)}
	if files == 1 {
		config["compress"] = "false" // the engine compresses all but the newest and refuses to where there is no other
	}
	return container.LogConfig{Type: "local", Config: config}
}

func resources(r driver.Resources, f fence) container.Resources {
	memory, cpus, pids := r.Memory, r.CPUs, int64(r.Pids)
	if memory <= 0 {
		memory = defaultMemory
	}
	if cpus <= 0 {
		cpus = defaultCPUs
	}
	if pids <= 0 {
		pids = defaultPids
	}
	return container.Resources{
		Memory:     memory,
		MemorySwap: memory, // the same: no swap
		NanoCPUs:   int64(cpus * 1e9),
		PidsLimit:  &pids,
		Ulimits:    f.ulimits,
	}
}
