package stage

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// userTick is what /proc counts CPU time in: 1/100 s on every Linux that Go runs on.
const userTick = 10 * time.Millisecond

// CPU is the user and system time that a process and its descendants have used so far, those that have ended left out. It is exact to
// 10 ms for each of them.
func CPU(pid int) (time.Duration, error) {
	return sum(pid, func(pid int) (time.Duration, error) {
		stat, err := os.ReadFile(proc(pid, "stat"))
		if err != nil {
			return 0, err
		}
		return parseCPU(string(stat))
	})
}

// parseCPU reads fields 14 and 15 of proc(5)'s stat. The name in field 2 may hold anything, blanks and brackets too.
func parseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("not a line of /proc/PID/stat: %q", stat)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * userTick, err
}

// RSS is the resident memory of a process and its descendants, in bytes. What they share counts for each.
func RSS(pid int) (int64, error) {
	return sum(pid, func(pid int) (int64, error) {
		statm, err := os.ReadFile(proc(pid, "statm"))
		if err != nil {
			return 0, err
		}
		fields := strings.Fields(string(statm))
		if len(fields) < 2 {
			return 0, fmt.Errorf("not a line of /proc/PID/statm: %q", statm)
		}
		pages, err := strconv.ParseInt(fields[1], 10, 64)
		return pages * int64(os.Getpagesize()), err
	})
}

// FDs is how many file descriptors a process has open, its descendants left out.
func FDs(pid int) (int, error) {
	open, err := os.ReadDir(proc(pid, "fd"))
	return len(open), err
}

// CountArgs counts the processes whose command is called name and has an argument that fits.
func CountArgs(name string, fits func(arg string) bool) (int, error) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	n := 0
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended since
		}
		args := strings.Split(string(text), "\x00")
		if filepath.Base(args[0]) != name {
			continue
		}
		for _, arg := range args[1:] {
			if fits(arg) {
				n++
				break
			}
		}
	}
	return n, err
}

// sum adds up a figure over a process and its descendants. A descendant that ends meanwhile counts for nothing.
func sum[T int64 | time.Duration](pid int, figure func(pid int) (T, error)) (T, error) {
	total, err := figure(pid)
	if err != nil {
		return 0, err
	}
	for _, child := range children(pid) {
		if n, err := sum(child, figure); err == nil {
			total += n
		}
	}
	return total, nil
}

func children(pid int) (all []int) {
	lists, _ := filepath.Glob(proc(pid, "task/*/children"))
	for _, path := range lists {
		text, _ := os.ReadFile(path)
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

func proc(pid int, file string) string { return filepath.Join("/proc", strconv.Itoa(pid), file) }
