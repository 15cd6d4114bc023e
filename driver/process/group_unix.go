//go:build unix

package process

import (
	"os"
	"syscall"
)

// signalGroup signals the process group that p leads. That there is none any more is fine.
func signalGroup(p *os.Process, s syscall.Signal) { syscall.Kill(-p.Pid, s) }

// exitCode is what a shell would say.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
