package driver

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A worker that can write to certain places of the host, or talk to the engine, is root on the host. No key grants that; the
// configuration is judged by it before anything is started, and the driver again by what the paths really lead to.

// Place is a part of the host that workers must stay out of.
type Place struct {
	Path     string
	Name     string // as messages call it
	Readable bool   // single things inside may be mounted read-only
}

// HostPlaces are those of every host. Each call makes a new list.
func HostPlaces() []Place {
	return []Place{
		{Path: "/var/run/docker.sock", Name: "the Docker socket"},
		{Path: "/run/docker.sock", Name: "the Docker socket"},
		{Path: "/proc", Name: "/proc"},
		{Path: "/sys", Name: "/sys"},
		{Path: "/run", Name: "/run"},
		{Path: "/var/run", Name: "/run"},
		{Path: "/dev", Name: "/dev (see devices)"},
		{Path: "/boot", Name: "/boot"},
		{Path: "/var/lib/docker", Name: "/var/lib/docker"},
		{Path: "/var/lib/containerd", Name: "/var/lib/containerd"},
		{Path: "/etc", Name: "/etc", Readable: true},
	}
}

// Forbidden says why a source of the host, an absolute path, must not be mounted, in words that follow it: "is /proc", "contains
// the Docker socket". It is empty when the path says nothing against it; symlinks are the caller's to resolve.
func Forbidden(source string, readOnly bool, places []Place) string {
	source = path.Clean(source)
	if source == "/" {
		return "is / and contains the whole host"
	}
	for _, place := range places {
		switch {
		case source == place.Path:
			return "is " + place.Name
		case within(place.Path, source):
			return "contains " + place.Name
		case within(source, place.Path) && !(place.Readable && readOnly):
			return "is inside " + place.Name
		}
	}
	return ""
}

// within says whether path lies below dir.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, "../")
}

// ForbiddenDevice says why a device of the host must not be given to a worker, by its path: memory, ports, registers and the
// log of the kernel, and disks, on which every file of the host is. It is empty when the path says nothing against it.
func ForbiddenDevice(device string) string {
	name := strings.TrimPrefix(path.Clean(device), "/dev/")
	first, _, _ := strings.Cut(name, "/")
	switch {
	case slices.Contains([]string{"mem", "kmem", "port", "cpu"}, first):
		return "is the memory, the ports or the registers of the host"
	case slices.Contains([]string{"kmsg", "console"}, first):
		return "is the kernel's log or console"
	case slices.Contains([]string{"disk", "mapper", "block", "root", "bsg", "raw"}, first), diskName.MatchString(first):
		return "is a disk of the host"
	}
	return ""
}

// diskName is what Linux calls whole disks and their parts, such as sda1, nvme0n1p2 and dm-0, and the way around their drivers, sg0.
var diskName = regexp.MustCompile(`^((sd|hd|vd|xvd)[a-z]+[0-9]*|(nvme|mmcblk|dm-|md|loop|nbd|rbd|zd|ram|sg|sr|pmem|bcache|drbd)[0-9].*)$`)
