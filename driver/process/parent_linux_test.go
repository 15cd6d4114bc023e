package process_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"understudy/driver/drivertest"
)

func TestWorkersEndWithABalancerThatIsKilled(t *testing.T) {
	port := drivertest.FreePort(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", parentKey, port))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "started a-") {
		t.Fatalf("the balancer says %q, %v", line, err)
	}
	eventually(t, "the worker answers", func() bool {
		_, _, err := drivertest.Get(t.Context(), fmt.Sprintf("http://127.0.0.1:%d/", port))
		return err == nil
	})
	cmd.Process.Kill()
	eventually(t, "the worker has ended too", func() bool { return drivertest.Free(port) })
}

func TestAWorkerOutlivesTheThreadItsStartWasCalledFrom(t *testing.T) {
	d := newDriver(t)
	s := spec(t)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		_, err := d.Start(t.Context(), s)
		started <- err
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	for range 20 { // the thread has ended long before the last of them
		eventually(t, "it answers", func() bool {
			_, _, err := drivertest.Get(t.Context(), fmt.Sprintf("http://127.0.0.1:%d/", s.HostPort))
			return err == nil
		})
	}
	if all, _ := d.List(t.Context()); len(all) != 1 || !all[0].Running {
		t.Errorf("the worker is %+v", all)
	}
}
