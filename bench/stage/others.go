package stage

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Others measures what share of the machine somebody else has while a race runs: figures of a machine that is shared say little.
type Others struct {
	busy, all, own time.Duration
}

// WatchOthers begins now.
func WatchOthers() (Others, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Others{}, err
	}
	busy, all, err := parseMachine(string(stat))
	if err != nil {
		return Others{}, err
	}
	var own time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			return Others{}, err
		}
		own += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return Others{busy, all, own}, nil
}

// Share is the share, from 0 to 1, of the machine's CPU time since then that went neither into this process nor into children of it that
// have ended; those that still run count as others.
func (o Others) Share() (float64, error) {
	now, err := WatchOthers()
	if err != nil || now.all == o.all {
		return 0, err
	}
	return max(0, float64((now.busy-o.busy)-(now.own-o.own))/float64(now.all-o.all)), nil
}

// parseMachine reads the first line of proc(5)'s stat, where all but idle (the fourth figure) and iowait (the fifth) is work. Guests count
// within user already, so only eight figures are read.
func parseMachine(stat string) (busy, all time.Duration, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("not the first line of /proc/stat: %q", line)
	}
	for i, field := range fields[1:9] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, 0, err
		}
		t := time.Duration(n) * userTick
		all += t
		if i != 3 && i != 4 {
			busy += t
		}
	}
	return busy, all, nil
}
