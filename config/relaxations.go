package config

import (
	"slices"
	"strings"

	"understudy/driver"
)

// Relaxations lists what the pool's own keys loosen beyond what its security level grants, each as the file would say it, such as
// "read_only: false" or "cap_add: NET_RAW", in the order of the file. A level below the one auto means is one too. What tightens is
// none, and neither is how much a worker may use (resources, shm, logs, tmpfs), for that is bounded whatever it says.
func (p Pool) Relaxations() []string {
	var out []string
	level := driver.Level(p.SecurityLevel())
	strict := level == driver.LevelStrict
	loosens := func(key, value string, does bool) {
		if does {
			out = append(out, key+": "+value)
		}
	}
	loosens("security", p.Security, p.BuiltIn() && !strict)
	loosens("user", p.User, p.User != "" && driver.RootUser(p.User))
	loosens("read_only", "false", strict && is(p.ReadOnly, false))
	for _, name := range p.CapAdd {
		loosens("cap_add", name, !slices.Contains(level.Capabilities(), strings.TrimPrefix(name, "CAP_")))
	}
	for _, mount := range p.Tmpfs {
		loosens("tmpfs", mount, freed(mount))
	}
	loosens("init", "false", strict && is(p.Init, false))
	loosens("egress", "true", strict && is(p.Egress, true))
	for _, mount := range p.Mounts {
		loosens("mounts", mount, true)
	}
	for _, device := range p.Devices {
		loosens("devices", device, true)
	}
	loosens("network", p.Network, p.Network != "") // its members may talk to each other, and where it leads nobody here knows
	return out
}

func is(b *bool, value bool) bool { return b != nil && *b == value }

// freed tells whether the options of a tmpfs take back one that each has by default: noexec, nosuid, nodev.
func freed(mount string) bool {
	_, options, _ := strings.Cut(mount, ":")
	return slices.ContainsFunc(strings.Split(options, ","), func(o string) bool { return slices.Contains([]string{"exec", "suid", "dev"}, o) })
}
