package docker

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
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
		if why := e.forbidden(real, m.ReadOnly); why != "" {
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

// forbidden says why a source, free of symlinks, must not be mounted; empty when it may.
func (e *engine) forbidden(source string, readOnly bool) string {
	for _, place := range e.places() {
		switch {
		case source == place.path:
			return "is " + place.name
		case within(place.path, source):
			return "contains " + place.name
		case within(source, place.path) && !(place.readable && readOnly):
			return "is inside " + place.name
		}
	}
	return ""
}

// place is a part of the host that workers must stay out of.
type place struct {
	path     string // free of symlinks
	name     string // as the message calls it
	readable bool   // single things inside may be mounted read-only
}

func (e *engine) places() []place {
	places := []place{
		{path: "/proc", name: "/proc"},
		{path: "/sys", name: "/sys"},
		{path: "/run", name: "/run"},
		{path: "/var/lib/docker", name: "/var/lib/docker"},
		{path: "/var/run/docker.sock", name: "the Docker socket"},
		{path: "/etc", name: "/etc", readable: true},
	}
	if socket, ok := strings.CutPrefix(e.host, "unix://"); ok {
		places = slices.Insert(places, 0, place{path: socket, name: "the Docker socket"})
	}
	for _, p := range slices.Clone(places) { // a place may itself be a link: /var/run, a moved /var/lib/docker
		if real, err := filepath.EvalSymlinks(p.path); err == nil && real != p.path {
			p.path = real
			places = slices.Insert(places, 0, p)
		}
	}
	return places
}

// within says whether path lies below dir.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, "../")
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
		maps = append(maps, container.DeviceMapping{PathOnHost: filepath.Clean(host), PathInContainer: inside, CgroupPermissions: "rwm"})
	}
	return maps, requests, nil
}
