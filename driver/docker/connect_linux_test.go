package docker

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"understudy/driver"
)

func TestASocketWithoutPermissionNamesTheDockerGroup(t *testing.T) {
	engine := newFakeEngine(t)
	if err := os.Chmod(engine.socket, 0); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		// Root may use any socket, so this thread becomes somebody else to the file system; it ends with the goroutine, for it is never unlocked.
		runtime.LockOSThread()
		unix.Setfsuid(65534)
		_, err := connect(t.Context(), endpoint{host: "unix://" + engine.socket}, quick())
		result <- err
	}()
	err := <-result
	if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, ErrNoEngine) || !has(err.Error(), engine.socket, "permission denied", "docker group") {
		t.Errorf("connect returns %v", err)
	}
}
