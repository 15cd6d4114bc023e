package app

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"understudy/driver"
)

// processes is a driver by name alone.
type processes struct{ driver.Driver }

func (processes) Name() string { return "process" }

func TestWhatAProcessIsStartedWithIsReadFromTheEnvironment(t *testing.T) {
	const pid = 42
	for _, c := range []struct {
		env   string
		names string
		err   string
	}{
		{env: ""},
		{env: "UNDERSTUDY_HANDOVER=listen,admin,lock,control", names: "listen admin lock control"},
		{env: "LISTEN_PID=41 LISTEN_FDS=1"}, // meant for our parent
		{env: "LISTEN_PID=42 LISTEN_FDS=1", names: "listen"},
		{env: "LISTEN_PID=42 LISTEN_FDS=1 LISTEN_FDNAMES=understudy.socket", names: "listen"},
		{env: "LISTEN_PID=42 LISTEN_FDS=1 LISTEN_FDNAMES=admin", names: "admin"},
		{env: "LISTEN_PID=42 LISTEN_FDS=3 LISTEN_FDNAMES=admin:listen:planner", names: "admin listen planner"},
		{env: "LISTEN_PID=42 LISTEN_FDS=2 LISTEN_FDNAMES=admin:web", err: "FileDescriptorName"},
		{env: "LISTEN_PID=42 LISTEN_FDS=2 LISTEN_FDNAMES=admin", err: "for 2 sockets"},
		{env: "LISTEN_PID=42 LISTEN_FDS=2", err: "FileDescriptorName"},
		{env: "LISTEN_PID=42 LISTEN_FDS=many", err: "LISTEN_FDS"},
		{env: "LISTEN_PID=42 LISTEN_FDS=0", err: "LISTEN_FDS"},
	} {
		env := map[string]string{}
		for _, kv := range strings.Fields(c.env) {
			k, v, _ := strings.Cut(kv, "=")
			env[k] = v
		}
		names, err := inheritedNames(func(k string) string { return env[k] }, pid)
		if c.err == "" && (err != nil || !slices.Equal(names, strings.Fields(c.names))) {
			t.Errorf("%q: %v, %v", c.env, names, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: %v, want one that says %s", c.env, err, c.err)
		}
	}
}

// A socket that blocks because of a copy given away would keep a thread, and a connection that is the other process's.
func TestASocketThatIsGivenAwayDoesNotBlock(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := duplicate(l.(syscall.Conn), "listen")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
		t.Errorf("it blocks (flags %o, %v)", flags, errno)
	}
	flags, _, errno = syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_GETFD, 0)
	if errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("every child gets it (flags %o, %v)", flags, errno)
	}
}

func TestADescriptorThatIsNoSocketIsRefused(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack([]string{"listen"}, []*os.File{file}); err == nil || !strings.Contains(err.Error(), `"listen"`) {
		t.Errorf("%v", err)
	}
}

func TestASystemSocketServesWhateverTheConfiguredAddressIs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	in := &Inherited{listeners: map[string]net.Listener{"listen": l}}
	if in.listener("listen", "0.0.0.0:80", nil) != l {
		t.Error("it was not taken")
	}
	if in.listener("listen", "0.0.0.0:80", nil) != nil {
		t.Error("it was taken twice")
	}
}

func TestALockIsPassedOnWithoutAMomentInWhichNobodyHasIt(t *testing.T) {
	dir := t.TempDir()
	old, err := TakeLock(dir, "docker", "x", "old")
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(old.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	next, err := borrowLock(os.NewFile(uintptr(fd), "lock"), dir, "docker", "x")
	if err != nil {
		t.Fatal(err)
	}
	taken := func(by string) {
		t.Helper()
		if l, err := TakeLock(dir, "docker", "x", "stranger"); err == nil {
			l.Release()
			t.Fatal("a stranger got it")
		} else if !strings.Contains(err.Error(), by) {
			t.Errorf("%v does not name %s", err, by)
		}
	}
	taken("old")
	if err := next.keep("next"); err != nil {
		t.Fatal(err)
	}
	old.lend()
	old.Release()
	taken("next")
	next.Release()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTheServiceManagerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	w := newWorld(t, 26140, 1, 1)
	w.notify = path
	first := w.start(nil)
	hears := func(want string) {
		t.Helper()
		buf := make([]byte, 100)
		n, err := manager.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("it hears %q, %v, want %q", buf[:n], err, want)
		}
	}
	hears("READY=1")
	w.ready(first)
	second := w.replaced(first)
	hears("MAINPID=1")
	second.cancel()
	<-second.ended
	hears("STOPPING=1")
}
