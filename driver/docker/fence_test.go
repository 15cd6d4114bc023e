package docker

import (
	"fmt"
	"strings"
	"testing"

	"understudy/driver"
)

// What the engine was told is one thing; here a worker is asked what it can do.

func TestAWorkerCannotDoMoreThanItsLevelSays(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	standard := workerSpec(t, "b")
	standard.Image, standard.Pull = importImage(t, d), driver.PullNever
	for _, c := range []struct {
		spec         driver.Spec
		user         string
		capabilities string // a bit each
		init         bool
		root         string // what comes of writing to it
		files        string // how many may be open
	}{
		{workerSpec(t, "a"), "65532:65532", "0000000000000000", true, "read-only file system", "4096"},
		{standard, "0:0", "00000000000004c3", false, "", ""}, // CHOWN 0, DAC_OVERRIDE 1, SETGID 6, SETUID 7, NET_BIND_SERVICE 10
	} {
		t.Run(string(level(c.spec)), func(t *testing.T) {
			spec := c.spec
			spec.Resources = driver.Resources{Memory: 96 << 20, CPUs: 0.5, Pids: 77}
			w := mustStart(t, d, spec)
			status := statusOf(t, w)
			for key, want := range map[string]string{
				"CapEff": c.capabilities, "CapPrm": c.capabilities, "CapBnd": c.capabilities, "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2",
			} {
				if status[key] != want {
					t.Errorf("%s is %s, want %s", key, status[key], want)
				}
			}
			if (status["Pid"] != "1") != c.init {
				t.Errorf("its pid is %s, with an init: %v", status["Pid"], c.init)
			}
			if got := ask(t, w, "/user"); got != c.user {
				t.Errorf("it runs as %s, want %s", got, c.user)
			}
			for what, got := range map[string]string{"writing a file": ask(t, w, "/write?path=/x"), "making a folder": ask(t, w, "/mkdir?path=/y")} {
				if c.root == "" && got != "" || !has(got, c.root) {
					t.Errorf("%s in its root: %q, want %q", what, got, c.root)
				}
			}
			if limits := ask(t, w, "/read?path=/proc/self/limits"); c.files != "" && !strings.Contains(squeezed(limits), "Max open files "+c.files+" "+c.files) {
				t.Errorf("its limits are\n%s", limits)
			}
			checkGroups(t, w)
			checkKernel(t, w)
		})
	}
}

// checkGroups: the bounds that the kernel holds it to, in either version of control groups.
func checkGroups(t *testing.T, w driver.Instance) {
	t.Helper()
	for _, c := range []struct{ two, one, want string }{
		{"memory.max", "memory/memory.limit_in_bytes", "100663296"},
		{"pids.max", "pids/pids.max", "77"},
		{"cpu.max", "cpu/cpu.cfs_quota_us", "50000"}, // of 100000
	} {
		got := ask(t, w, "/read?path=/sys/fs/cgroup/"+c.two)
		if has(got, "no such file") {
			got = ask(t, w, "/read?path=/sys/fs/cgroup/"+c.one)
		}
		if got, _, _ = strings.Cut(strings.TrimSpace(got), " "); got != c.want {
			t.Errorf("%s is %q, want %s", c.two, got, c.want)
		}
	}
}

// checkKernel: what the engine hides of the host stays hidden at either level.
func checkKernel(t *testing.T, w driver.Instance) {
	t.Helper()
	if got := ask(t, w, "/write?path=/proc/sys/kernel/hostname"); got == "" {
		t.Error("it writes to /proc/sys")
	}
	if got := ask(t, w, "/read?path=/proc/kcore"); got != "" && !has(got, "denied") && !has(got, "no such file") {
		t.Errorf("it reads /proc/kcore: %.40q", got)
	}
	if got := ask(t, w, "/write?path=/sys/x"); got == "" {
		t.Error("it writes to /sys")
	}
}

func TestATmpfsHoldsNoProgramsUnlessItSaysSo(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	spec := workerSpec(t, "a")
	spec.Security.Tmpfs = []string{"/bin2:size=64m,exec", "/data:size=64m"}
	w := mustStart(t, d, spec)
	for dir, want := range map[string]string{"/tmp": "permission denied", "/data": "permission denied", "/bin2": ""} {
		if got := ask(t, w, "/execute?dir="+dir); !has(got, want) || want == "" && got != "" {
			t.Errorf("running a program in %s: %q, want %q", dir, got, want)
		}
	}
}

// statusOf is what the kernel says of a worker's process.
func statusOf(t *testing.T, w driver.Instance) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(ask(t, w, "/read?path=/proc/self/status")) {
		key, value, _ := strings.Cut(line, ":")
		out[key] = strings.TrimSpace(value)
	}
	if len(out) < 10 {
		t.Fatal(fmt.Sprint("the kernel says little: ", out))
	}
	return out
}

// squeezed has one space between words.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }
