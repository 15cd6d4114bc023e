package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// Fields of /proc/PID/stat, numbered as in proc_pid_stat(5).
const (
	statName    = 2
	statSession = 6
	statBegan   = 22
)

// stat reads a field behind the name of the process with that number. It fails when there is none.
func stat(pid, field int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the name may hold anything, brackets too
	if len(fields) < field-statName {
		return 0, fmt.Errorf("not a line of /proc/PID/stat: %q", text)
	}
	return strconv.ParseUint(string(fields[field-statName-1]), 10, 64)
}

// began tells when the process with that number began; 0: there is none, or it cannot be told.
func began(pid int) uint64 {
	ticks, err := stat(pid, statBegan)
	if err != nil {
		return 0
	}
	return ticks
}
