//go:build !unix

package process

import (
	"os"
	"syscall"
)

// attributes: there are no process groups here.
func attributes() *syscall.SysProcAttr { return nil }

// signalGroup knows no way to ask; it ends the process.
func signalGroup(p *os.Process, _ syscall.Signal) { p.Kill() }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
