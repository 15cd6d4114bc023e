package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// printMachine says where the figures come from: what else the machine was doing matters most.
func printMachine() {
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%d cores, %s, load before the race %s\n", runtime.NumCPU(), cpuModel(), strings.Join(strings.Fields(string(load))[:1], ""))
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// cores says where what is raced runs, and where everything around it does. With fewer than four they share: the scheduler does better
// than any fixed split of two cores would.
func cores() (raced, rest string) {
	if runtime.NumCPU() < 4 {
		return "", ""
	}
	return "0,1", fmt.Sprintf("2-%d", runtime.NumCPU()-1)
}
