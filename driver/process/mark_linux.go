package process

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// markRounds bounds the search for what was started meanwhile, should something not end.
const markRounds = 10

// session is that of this process.
func session() uint64 {
	id, err := stat(os.Getpid(), statSession)
	if err != nil {
		return 0
	}
	return id
}

// Kill ends every process that has the mark, and goes on until it finds none.
func (m Mark) Kill() {
	for range markRounds {
		if !m.killOnce() {
			return
		}
	}
}

// killOnce reports whether there was one.
func (m Mark) killOnce() (found bool) {
	all, err := os.ReadDir("/proc")
	if m.Token == "" || err != nil {
		return false
	}
	for _, entry := range all {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && m.on(pid) {
			found = true
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return found
}

// on tells whether a process has the mark and is where it was started.
func (m Mark) on(pid int) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)) // empty of one that has ended
	if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), markKey+"="+m.Token) {
		return false
	}
	id, err := stat(pid, statSession)
	return err == nil && id == m.Session
}
