package scaler

import (
	"strconv"
	"strings"

	"understudy/config"
	"understudy/driver"
)

// newSpec writes down one start: the pool's configuration, and an identity nobody else has.
func (s *Scaler) newSpec(c config.Pool, worker, generation string, port int) driver.Spec {
	return driver.Spec{
		Pool: c.Name, Worker: worker, Generation: generation, Hash: c.Fingerprint(),
		Capabilities: c.Capabilities, Concurrency: c.Concurrency,
		Image: c.Image, Pull: driver.Pull(c.Pull), Command: c.Command, Port: c.Port, Publish: driver.Publish(s.Config.Publish), HostPort: port,
		Env: append(append([]string(nil), c.Env...),
			"UNDERSTUDY_IDENTITY="+generation,
			"UNDERSTUDY_WORKER="+worker,
			"UNDERSTUDY_CAPABILITIES="+strings.Join(c.Capabilities, ","),
			"UNDERSTUDY_CONCURRENCY="+strconv.Itoa(c.Concurrency),
		),
		Security: driver.Security{
			Level: driver.Level(c.SecurityLevel()), User: c.User, ReadOnly: c.ReadOnly, CapAdd: c.CapAdd, Tmpfs: c.Tmpfs,
			Shm: int64(c.Shm), Init: c.Init, Egress: c.Egress, Mounts: c.Mounts, Devices: c.Devices, Network: c.Network,
		},
		Resources: driver.Resources{Memory: int64(c.Resources.Memory), CPUs: c.Resources.CPUs, Pids: c.Resources.Pids},
		Logs:      driver.LogLimits{Size: int64(c.Logs.Size), Files: c.Logs.Files},
	}
}

// identityOf is what a worker of this pool must answer with: its generation, or nothing when it knows nothing of us.
func identityOf(c config.Pool, generation string) string {
	switch c.Ready.Identity {
	case "required":
		return generation
	case "off":
		return ""
	default:
		if c.BuiltIn() {
			return generation
		}
		return ""
	}
}
