//go:build unix

package docker

import (
	"os/exec"
	"syscall"
)

// endAsGroup makes a command end with all that it started.
func endAsGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
