package docker

import (
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types"
)

// safeLoopback is the first version of the engine that keeps ports published on the loopback address from neighbours of the host.
const safeLoopback = 28

// advise says once, at the start, what about this engine only its owner can better.
func (d *Driver) advise(version types.Version) {
	if strings.HasPrefix(d.engine.host, "tcp://") && d.engine.endpoint.tls == nil {
		d.log.Warn("docker: the engine is spoken to by plain TCP: every program and user of this host can do what root can; use its socket, or TLS",
			"address", d.engine.host)
	}
	if major := majorOf(version); major > 0 && major < safeLoopback {
		d.log.Info("docker: this engine lets hosts on the same network segment reach ports published on 127.0.0.1; docs/SECURITY.md has a rule against it",
			"engine", version.Version, "fixed_in", safeLoopback)
	}
}

// majorOf is the major version of a Docker engine, 0 when it is another engine or does not say.
func majorOf(version types.Version) int {
	if len(version.Components) > 0 && !slices.ContainsFunc(version.Components, func(c types.ComponentVersion) bool { return c.Name == "Engine" }) {
		return 0
	}
	text, _, _ := strings.Cut(version.Version, ".")
	major, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return major
}
