package docker

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"understudy/driver"
)

func TestASocketWithoutPermissionNamesTheDockerGroup(t *testing.T) {
	engine := newFakeEngine(t)
	if err := os.Chmod(engine.Socket(), 0); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		// Root may use any socket, so this thread becomes somebody else to the file system; it ends with the goroutine, for it is never unlocked.
		runtime.LockOSThread()
		unix.Setfsuid(65534)
		_, err := connect(t.Context(), endpoint{host: engine.Host()}, quick())
		result <- err
	}()
	err := <-result
	if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, ErrNoEngine) || !has(err.Error(), engine.Socket(), "permission denied", "docker group") {
		t.Errorf("connect returns %v", err)
	}
}

func TestADiskIsFoundWhateverItIsCalled(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	if holdsDisk(dir) || holdsDisk("/dev/null") {
		t.Error("a disk is found where there is none")
	}
	disk := filepath.Join(dir, "innocent")
	if err := unix.Mknod(disk, unix.S_IFBLK|0o600, int(unix.Mkdev(7, 0))); err != nil {
		t.Skip("only root makes devices, and not everywhere: ", err)
	}
	inside := filepath.Join(dir, "folder")
	if err := errors.Join(os.Mkdir(inside, 0o755), os.Symlink(disk, filepath.Join(inside, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{disk, dir, inside} {
		if !holdsDisk(path) {
			t.Errorf("no disk is found in %s", path)
		}
	}
}
