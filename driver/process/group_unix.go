//go:build unix

package process

import (
	"os"
	"syscall"
)

// signalGroup signals the process group that p leads. That there is none any more is fine.
func signalGroup(p *os.Process, s syscall.Signal) { syscall.Kill(-p.Pid, s) }

// Kill ends every process of the group, for somebody who is not the parent of the one that leads it. A group whose leader has ended keeps its
// number for as long as it has a process. One that has none may have lost it to a stranger, who began at another time and is left alone.
func (g Group) Kill() {
	if g.ID <= 1 {
		return // to the kernel that is everybody, or our own group
	}
	if now := began(g.ID); now != 0 && g.Began != 0 && now != g.Began {
		return
	}
	syscall.Kill(-g.ID, syscall.SIGKILL)
}

// exitCode is what a shell would say.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
