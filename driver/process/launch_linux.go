package process

import (
	"runtime"
	"syscall"
)

// attributes of a child: a process group of its own, and SIGKILL from the kernel when the thread that started it ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// launcher starts children, all from one thread that lives as long as the driver: the kernel ties a child to the thread that
// started it, and Go ends threads whenever it likes.
type launcher struct{ jobs chan func() }

func newLauncher() launcher {
	l := launcher{make(chan func())}
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		for job := range l.jobs {
			job()
		}
	}()
	return l
}

// do runs what starts a child. Not to be called after close.
func (l launcher) do(start func() error) error {
	done := make(chan error)
	l.jobs <- func() { done <- start() }
	return <-done
}

// close ends the thread, and with it every child that still runs.
func (l launcher) close() { close(l.jobs) }
