//go:build long || engine

package e2e

import (
	"cmp"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// insideKey is set in the environment of a test that runs alone: the folder of its engine.
const insideKey = "UNDERSTUDY_E2E_ALONE"

// The first process of the namespaces. It reaps what its children leave behind, and when it ends the kernel ends all others.
const firstProcess = `ip link set lo up && mount -t tmpfs tmpfs /run && mount -t tmpfs -o size=1g tmpfs "$` + insideKey + `" || exit 1
"$@"
exit $?`

// alone runs the test once more in a network, with processes and with mounts of its own, and there with an engine of its own that can be
// killed, frozen, cut off and filled up without troubling anybody. Ports, processes, mounts and containers end with it, however it ends.
func alone(t *testing.T, test func(t *testing.T, e *ownEngine)) {
	t.Helper()
	if dir := os.Getenv(insideKey); dir != "" {
		go func() { // the one outside is gone
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		e := newOwnEngine(t, dir)
		t.Setenv("DOCKER_HOST", "unix://"+e.socket)
		test(t, e)
		return
	}
	requireOwnEngine(t)
	t.Parallel()
	dir, err := os.MkdirTemp("", "understudy-own-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir); noGroups(t, filepath.Base(dir)) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
		"bash", "-c", firstProcess, "bash", self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=4m")
	cmd.Env = append(os.Environ(), insideKey+"="+dir, "UNDERSTUDY_BIN="+binary)
	leash, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer leash.Close()
	out, err := cmd.CombinedOutput()
	t.Logf("alone:\n%s", out)
	if err != nil {
		t.Errorf("alone it failed: %v", err)
	} else if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Error("alone it did not run")
	}
}

// requireOwnEngine skips where no engine of one's own can be run: that takes root and Linux. Who requires an engine and has all that is owed this one too.
func requireOwnEngine(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("an engine of one's own takes root")
	}
	for _, tool := range []string{"dockerd", "docker", "unshare", "ip", "bash", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("an engine of one's own takes %s: %v", tool, err)
		}
	}
	out, err := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/run").CombinedOutput()
	if err != nil && os.Getenv("UNDERSTUDY_REQUIRE_DOCKER") != "1" {
		t.Skipf("an engine of one's own takes namespaces and mounts: %v: %s", err, out)
	}
	if err != nil {
		t.Fatalf("no namespaces of one's own: %v: %s", err, out)
	}
}

// noGroups removes what control groups the kernel leaves after the last process in them: an engine that was killed removes none.
func noGroups(t *testing.T, name string) {
	t.Helper()
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	for _, root := range append(roots, "/sys/fs/cgroup/"+name) {
		var dirs []string
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		for _, dir := range dirs {
			await(t, "nothing runs in "+dir, func() bool { err := os.Remove(dir); return err == nil || os.IsNotExist(err) })
		}
	}
}
