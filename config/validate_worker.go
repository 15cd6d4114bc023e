package config

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"understudy/driver"
)

// recipe judges what a driver is told to start. What only the driver can know, such as whether an image exists, is left to it.
func (c check) recipe(p Pool, driver string) {
	if p.Image != "" && !imageName.MatchString(p.Image) {
		c.bad("image", p.Image, "is not an image", "[registry[:port]/]name[:tag][@digest], the name in lower case, such as ghcr.io/me/render:1.4")
	}
	switch {
	case driver == "docker" && p.Image == "" && len(p.Command) > 0 && c.sound("image", "command"):
		c.bad("command", nil, "has no image to run in, and driver docker runs nothing else", "give an image, or use driver process")
	case driver == "process" && p.Image != "" && len(p.Command) == 0 && c.sound("image", "command"):
		c.bad("image", p.Image, "cannot be run by driver process", "give a command, or use driver docker")
	case len(p.Command) > 0 && p.Command[0] == "":
		c.bad("command[0]", p.Command[0], "names no program", "a program, then its arguments")
	}
	for i, arg := range p.Command {
		if strings.ContainsRune(arg, 0) {
			c.bad(fmt.Sprintf("command[%d]", i), arg, "has a NUL byte", "text")
		}
	}
	c.oneOf("pull", p.Pull, "never", "missing", "always")
	c.between("port", p.Port, 1, 65535)
	c.env(p.Env)
	c.fence(p)
	c.resources(p.Resources)
	c.logs(p.Logs)
}

// imageName is the grammar of github.com/distribution/reference. Only a registry may have upper-case letters.
var imageName = func() *regexp.Regexp {
	const (
		host   = `(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*`
		domain = `(?:` + host + `|\[[0-9a-fA-F:]+\])(?::[0-9]+)?`
		part   = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
		tag    = `(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?`
		digest = `(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?`
	)
	return regexp.MustCompile(`^(?:` + domain + `/)?` + part + `(?:/` + part + `)*` + tag + digest + `$`)
}()

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// env judges KEY=value pairs without ever showing one: many are secrets, and one that lacks its = may be nothing else.
func (c check) env(env []string) {
	seen := map[string]bool{}
	for i, e := range env {
		key := fmt.Sprintf("env[%d]", i)
		name, value, ok := strings.Cut(e, "=")
		switch {
		case !ok || !envName.MatchString(name):
			c.bad(key, nil, "is not KEY=value", "a name of letters, digits, _, . and -, then =, then the value")
		case seen[name]:
			c.bad(key, nil, "sets "+word(name)+" again", "each name once")
		case name == "PORT":
			c.bad(key, nil, "sets PORT, which the worker is given", "set port instead")
		case strings.HasPrefix(name, prefix):
			c.bad(key, nil, "sets "+word(name)+": names that begin with "+prefix+" are given to the worker", "another name")
		case value == mask:
			c.bad(key, nil, "sets "+word(name)+" to *** (what config print writes in place of a secret)", "the value itself")
		case strings.ContainsRune(value, 0):
			c.bad(key, nil, "sets "+word(name)+" to a value with a NUL byte", "text")
		}
		seen[name] = true
	}
}

// Shapes of what loosens or tightens the fence around a worker. Which of it is too dangerous to grant, package driver says.
var (
	userName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
	capName     = regexp.MustCompile(`^(CAP_)?[A-Z][A-Z_]*$`)
	tmpfsMount  = regexp.MustCompile(`^/[^:\x00]+(:[A-Za-z0-9=,_%-]+)?$`)
	bindMount   = regexp.MustCompile(`^/[^:\x00]*:/[^:\x00]+(:ro)?$`)
	device      = regexp.MustCompile(`^(/dev/[^:\x00\s]+|gpus=(all|[1-9][0-9]*))$`)
	networkName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

func (c check) fence(p Pool) {
	c.oneOf("security", p.Security, "auto", "strict", "standard")
	if p.User != "" && !userName.MatchString(p.User) {
		c.bad("user", p.User, "is not a user", "name or uid, with or without :group, such as 65532:65532")
	}
	c.each("cap_add", p.CapAdd, capName, "is not a capability of Linux", "upper case, such as NET_BIND_SERVICE")
	c.each("tmpfs", p.Tmpfs, tmpfsMount, "is not a tmpfs", "/path or /path:options, such as /tmp:size=64m")
	c.each("mounts", p.Mounts, bindMount, "is not a mount", "/host/path:/container/path, with or without :ro")
	c.each("devices", p.Devices, device, "is not a device", "/dev/name, gpus=all or gpus=N")
	c.refused(p)
	if slices.Contains([]string{"host", "none"}, p.Network) || p.Network != "" && !networkName.MatchString(p.Network) {
		c.bad("network", p.Network, "is not a network a worker can be reached on", "the name of an existing network; not host, not none")
	}
}

// refused is what no pool is granted, as far as names and paths tell: where a path really leads is seen when a worker is started.
func (c check) refused(p Pool) {
	for i, name := range p.CapAdd {
		if strings.TrimPrefix(name, "CAP_") == "ALL" {
			c.bad(fmt.Sprintf("cap_add[%d]", i), name, "names none", "each by its name, such as NET_BIND_SERVICE")
		}
	}
	for i, mount := range p.Mounts {
		source, rest, _ := strings.Cut(mount, ":")
		key, readOnly := fmt.Sprintf("mounts[%d]", i), strings.HasSuffix(rest, ":ro")
		why := driver.Forbidden(source, readOnly, driver.HostPlaces())
		if why == "" || !c.sound(key) {
			continue
		}
		legal := "a folder of its own for the workers, such as /srv/fonts"
		if driver.Forbidden(source, true, driver.HostPlaces()) == "" {
			legal += ", or :ro"
		}
		c.bad(key, mount, "is refused: its source "+why, legal)
	}
	for i, device := range p.Devices {
		host, _, _ := strings.Cut(device, ":")
		key := fmt.Sprintf("devices[%d]", i)
		switch why := driver.ForbiddenDevice(host); {
		case !c.sound(key) || strings.HasPrefix(device, "gpus="):
		case !strings.HasPrefix(path.Clean(host), "/dev/"):
			c.bad(key, device, "is not a device", "/dev/name, gpus=all or gpus=N")
		case why != "":
			c.bad(key, device, "is refused: it "+why, "a device that is not the host's memory, log or disk")
		}
	}
}

func (c check) each(key string, list []string, shape *regexp.Regexp, wrong, legal string) {
	seen := map[string]bool{}
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch {
		case !shape.MatchString(v):
			c.bad(at, v, wrong, legal)
		case seen[v]:
			c.bad(at, v, "is there twice", "each once")
		}
		seen[v] = true
	}
}

func (c check) resources(r Resources) {
	const least = 6 << 20 // what the engine refuses less than
	if r.Memory < least {
		c.bad("resources.memory", r.Memory, "is too little", fmt.Sprintf("%v or more", Bytes(least)))
	}
	if r.CPUs < 0.01 || r.CPUs > 4096 {
		c.bad("resources.cpus", r.CPUs, "is out of range", "0.01 to 4096 cores; at most as many as the host has")
	}
	c.between("resources.pids", r.Pids, 1, 1<<22)
}

func (c check) logs(l Logs) {
	const least, most = 64 << 10, 16 << 30
	if l.Size < least || l.Size > most {
		c.bad("logs.size", l.Size, "is out of range", fmt.Sprintf("%v to %v", Bytes(least), Bytes(most)))
	}
	c.between("logs.files", l.Files, 1, 100)
}
