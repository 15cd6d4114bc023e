package deploy

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestTheServiceIsFencedIn: what is taken from the program by systemd, and nothing silently given back.
func TestTheServiceIsFencedIn(t *testing.T) {
	text, err := os.ReadFile("understudy.service")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			said[key] = value
		}
	}
	for key, want := range map[string]string{
		"User": "understudy", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectSystem": "strict", "ReadWritePaths": "/tmp",
		"StateDirectory": "understudy", "ProtectHome": "yes", "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
		"ProtectProc": "invisible", "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes", "RestrictNamespaces": "yes", "SystemCallFilter": "@system-service", "UMask": "0077",
	} {
		if value, ok := said[key]; !ok || value != want {
			t.Errorf("%s=%s, want %s", key, value, want)
		}
	}
	if said["LimitNOFILE"] == "" {
		t.Error("no LimitNOFILE: connections need descriptors")
	}
}

// TestTheServiceIsWhatSystemdCallsFine asks systemd itself, where it is: 0 is the best exposure, 100 (10.0) the worst.
func TestTheServiceIsWhatSystemdCallsFine(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze here")
	}
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "--threshold=22", "understudy.service").CombinedOutput()
	if strings.Contains(string(out), "unrecognized option") {
		t.Skip("this systemd is too old to judge a file: ", string(out))
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
