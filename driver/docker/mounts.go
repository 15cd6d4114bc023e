package docker

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"understudy/driver"
)

// mounts turns "/host/path:/container/path[:ro]" into mounts, or says why one of them is refused. A worker that can write to
// these places of the host, or talk to the engine, is root on the host.
func (e *engine) mounts(specs []string) ([]mount.Mount, error) {
	var out []mount.Mount
	for _, spec := range specs {
		m, err := parseMount(spec)
		if err != nil {
			return nil, err
		}
		real, err := filepath.EvalSymlinks(m.Source)
		if err != nil {
			return nil, fmt.Errorf("mount %q: its source cannot be found on this host: %v", spec, err)
		}
		if why := driver.Forbidden(real, m.ReadOnly, e.places()); why != "" {
			return nil, fmt.Errorf("mount %q is refused: its source %s", spec, why)
		}
		m.Source = real // what was looked at is what is mounted
		out = append(out, m)
	}
	return out, nil
}

func parseMount(spec string) (mount.Mount, error) {
	parts := strings.Split(spec, ":")
	m := mount.Mount{Type: mount.TypeBind}
	if len(parts) == 3 {
		if parts[2] != "ro" && parts[2] != "rw" {
			return m, fmt.Errorf("mount %q: %q is not ro or rw", spec, parts[2])
		}
		m.ReadOnly = parts[2] == "ro"
	} else if len(parts) != 2 {
		return m, fmt.Errorf("mount %q is not of the form /host/path:/container/path[:ro]", spec)
	}
	m.Source, m.Target = filepath.Clean(parts[0]), filepath.Clean(parts[1])
	if !filepath.IsAbs(m.Source) || !filepath.IsAbs(m.Target) || m.Target == "/" {
		return m, fmt.Errorf("mount %q: both paths must be absolute, and the second not /", spec)
	}
	return m, nil
}

// places are those of every host and the socket that this engine is talked to by.
func (e *engine) places() []driver.Place {
	places := driver.HostPlaces()
	if socket, ok := strings.CutPrefix(e.host, "unix://"); ok {
		places = slices.Insert(places, 0, driver.Place{Path: socket, Name: "the Docker socket"})
	}
	for _, p := range slices.Clone(places) { // a place may itself be a link: /var/run, a moved /var/lib/docker
		if real, err := filepath.EvalSymlinks(p.Path); err == nil && real != p.Path {
			p.Path = real
			places = append(places, p)
		}
	}
	return places
}

// devices turns "/dev/x[:/dev/y]" and "gpus=all" or "gpus=2" into the engine's terms.
func devices(specs []string) ([]container.DeviceMapping, []container.DeviceRequest, error) {
	var maps []container.DeviceMapping
	var requests []container.DeviceRequest
	for _, spec := range specs {
		if count, ok := strings.CutPrefix(spec, "gpus="); ok {
			n, err := strconv.Atoi(count)
			if count == "all" {
				n = -1
			} else if err != nil || n < 1 {
				return nil, nil, fmt.Errorf("device %q: gpus is all or a number from 1 on", spec)
			}
			requests = append(requests, container.DeviceRequest{Count: n, Capabilities: [][]string{{"gpu"}}})
			continue
		}
		host, inside, ok := strings.Cut(spec, ":")
		if !ok {
			inside = host
		}
		if !strings.HasPrefix(filepath.Clean(host), "/dev/") || !filepath.IsAbs(inside) {
			return nil, nil, fmt.Errorf("device %q is not of the form /dev/x, /dev/x:/dev/y, gpus=all or gpus=2", spec)
		}
		if why := forbiddenDevice(filepath.Clean(host)); why != "" {
			return nil, nil, fmt.Errorf("device %q is refused: it %s", spec, why)
		}
		maps = append(maps, container.DeviceMapping{PathOnHost: filepath.Clean(host), PathInContainer: inside, CgroupPermissions: "rwm"})
	}
	return maps, requests, nil
}

// forbiddenDevice says why a device must not be given away: by its path, by where that leads, or because it is a disk, whatever it
// is called. A folder gives away all that is in it. What is not here is left to the engine, which sees the host as it is.
func forbiddenDevice(host string) string {
	if why := driver.ForbiddenDevice(host); why != "" {
		return why
	}
	real, err := filepath.EvalSymlinks(host)
	if err != nil {
		return ""
	}
	if !strings.HasPrefix(real, "/dev/") {
		return "leads to " + real
	}
	if why := driver.ForbiddenDevice(real); why != "" {
		return why
	}
	if holdsDisk(real) {
		return "is a disk of the host, or holds one"
	}
	return ""
}

// holdsDisk says whether a path is a block device, or a folder with one, or with a link to one.
func holdsDisk(root string) (found bool) {
	filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is no device that can be given away either
		}
		info, err := os.Stat(path)
		found = err == nil && info.Mode()&fs.ModeDevice != 0 && info.Mode()&fs.ModeCharDevice == 0
		if found {
			return fs.SkipAll
		}
		return nil
	})
	return found
}
