package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// startTime is the place of that field in what follows the name in /proc/PID/stat; see proc_pid_stat(5), where it is the 22nd.
const startTime = 22 - 3

// began tells when the process with that number began; 0: there is none, or it cannot be told.
func began(pid int) uint64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name may hold anything, brackets too
	if len(fields) <= startTime {
		return 0
	}
	ticks, err := strconv.ParseUint(string(fields[startTime]), 10, 64)
	if err != nil {
		return 0
	}
	return ticks
}
