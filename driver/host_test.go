package driver_test

import (
	"strings"
	"testing"

	"understudy/driver"
)

func TestPlacesOfTheHostThatWorkersMustStayOutOf(t *testing.T) {
	for source, why := range map[string]string{
		"/": "is /", "/./": "is /", "/..": "is /", "/etc": "is /etc", "/etc/": "is /etc", "/x/../etc": "is /etc", "/proc/1": "inside /proc", "/sys": "is /sys",
		"/run": "contains the Docker socket", "/run/user": "inside /run", "/run/docker.sock": "is the Docker socket", "/var/run/docker.sock": "is the Docker socket", "/var/run": "contains the Docker socket",
		"/var": "contains", "/var/lib": "contains /var/lib/docker", "/var/lib/docker/volumes/x": "inside /var/lib/docker", "/dev": "is /dev",
		"/dev/sda": "inside /dev", "/boot": "is /boot", "/run/containerd/containerd.sock": "inside /run", "/var/lib/containerd": "is /var/lib/containerd",
	} {
		for _, readOnly := range []bool{true, false} {
			if got := driver.Forbidden(source, readOnly, driver.HostPlaces()); !strings.Contains(got, why) {
				t.Errorf("%s, read-only %v: %q, want %q", source, readOnly, got, why)
			}
		}
	}
	for _, fine := range []string{"/srv", "/srv/etc", "/home/x", "/etcetera", "/var/lib/dockers", "/var/log", "/running", "/..srv"} {
		if got := driver.Forbidden(fine, false, driver.HostPlaces()); got != "" {
			t.Errorf("%s: %q", fine, got)
		}
	}
	if driver.Forbidden("/etc/ssl/certs", true, driver.HostPlaces()) != "" || driver.Forbidden("/etc/ssl/certs", false, driver.HostPlaces()) == "" {
		t.Error("what is in /etc may be read and nothing else")
	}
}

func TestDevicesThatAreTheHost(t *testing.T) {
	for _, bad := range []string{
		"/dev/mem", "/dev/cpu/0/msr", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/sda", "/dev/sdab12", "/dev/vda1", "/dev/xvdf", "/dev/nvme0", "/dev/nvme0n1p3", "/dev/mmcblk0",
		"/dev/dm-0", "/dev/md127", "/dev/loop3", "/dev/sg1", "/dev/disk/by-id/x", "/dev/mapper/root", "/dev/./sda", "/dev/x/../mem", "/dev/block/8:0", "/dev/disk",
	} {
		if driver.ForbiddenDevice(bad) == "" {
			t.Errorf("%s is given away", bad)
		}
	}
	for _, fine := range []string{
		"/dev/dri", "/dev/dri/card0", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/nvidia0", "/dev/nvidiactl", "/dev/snd", "/dev/video0", "/dev/ttyUSB0", "/dev/memory", "/dev/sdr-radio", "/dev/mdev", "/dev/loop-control",
	} {
		if why := driver.ForbiddenDevice(fine); why != "" {
			t.Errorf("%s %s", fine, why)
		}
	}
}
