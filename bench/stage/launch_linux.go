package stage

import "syscall"

// attributes gives a process a group of its own, so that an interrupt from the terminal reaches only us and we end the rest in order, and
// ends it should we be killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
