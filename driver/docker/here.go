package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// here is whose network this program is in, as the engine sees it.
type here struct {
	container string // id; empty: the host's own network, where every bridge can be reached
}

// surroundings are what this program can see of where it runs.
type surroundings struct {
	candidates []string // ids of containers it may be in, the most likely first
	addresses  []netip.Addr
}

// whereWeAre finds out once which container of this engine we are in, if we are in one.
func (d *Driver) whereWeAre(ctx context.Context) (here, error) {
	return d.place.get(ctx, "", false, d.spawn, func(ctx context.Context) (here, error) {
		look := d.look
		if look == nil {
			look = lookAround
		}
		return d.recognize(ctx, look())
	})
}

// recognize asks the engine about each candidate: a container of another engine, or one that only has the name of this host, is not where
// we are.
func (d *Driver) recognize(ctx context.Context, s surroundings) (here, error) {
	for _, id := range s.candidates {
		found, err := d.inspect(ctx, id)
		if errors.Is(err, driver.ErrNotFound) {
			continue
		}
		if err != nil {
			return here{}, err
		}
		if found.State == nil || !found.State.Running || !strings.HasPrefix(found.ID, id) || found.HostConfig == nil || !shares(s, found) {
			continue
		}
		switch mode := found.HostConfig.NetworkMode; {
		case mode.IsHost():
			return here{}, nil
		case mode.IsNone():
			return here{}, fmt.Errorf("this container, %s, has no network, so it reaches no workers: give it one", nameOf(found))
		case mode.IsContainer():
			return d.recognize(ctx, surroundings{candidates: []string{mode.ConnectedContainer()}, addresses: s.addresses})
		}
		return here{container: found.ID}, nil
	}
	return here{}, nil
}

// shares says whether the container's addresses are ours too, as far as it has any.
func shares(s surroundings, found container.InspectResponse) bool {
	if found.NetworkSettings == nil {
		return true
	}
	has := false
	for _, e := range found.NetworkSettings.Networks {
		ip, err := netip.ParseAddr(e.IPAddress)
		if err == nil && slices.Contains(s.addresses, ip) {
			return true
		}
		has = has || err == nil
	}
	return !has
}

func nameOf(c container.InspectResponse) string { return strings.TrimPrefix(c.Name, "/") }

// lookAround reads what the kernel shows of our container: engines mount three files into each from a folder that has its id. The host's name
// is the id too, unless somebody chose another.
func lookAround() surroundings {
	var s surroundings
	if file, err := os.Open("/proc/self/mountinfo"); err == nil {
		s.candidates = mountedFrom(file)
		file.Close()
	}
	if name, err := os.Hostname(); err == nil && shortID.MatchString(name) {
		s.candidates = append(s.candidates, name)
	}
	all, _ := net.InterfaceAddrs() // without them no container is recognized
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				s.addresses = append(s.addresses, ip.Unmap())
			}
		}
	}
	return s
}

var (
	shortID = regexp.MustCompile(`^[0-9a-f]{12}$`)
	longID  = regexp.MustCompile(`/([0-9a-f]{64})/`)
)

// mountedFrom finds the ids in the sources of those files. Other mounts may have the ids of other containers: a host sees all of them.
func mountedFrom(mountinfo io.Reader) (ids []string) {
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		words := strings.Fields(lines.Text()) // number, parent, device, source within it, where it is mounted, ...
		if len(words) < 5 || !slices.Contains([]string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}, words[4]) {
			continue
		}
		if m := longID.FindStringSubmatch(words[3]); m != nil && !slices.Contains(ids, m[1]) {
			ids = append(ids, m[1])
		}
	}
	return ids
}
