// Profiled is understudy with a CPU profile of its whole life: `profiled FILE balancer …`. The shipped binary has no such thing.
package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"understudy/cli"
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		code = 1
	}
	os.Exit(code)
}

func run() (int, error) {
	if len(os.Args) < 2 {
		return 0, fmt.Errorf("no file for the profile: profiled FILE COMMAND…")
	}
	shipped, err := os.ReadFile("config.yaml")
	if err != nil {
		return 0, fmt.Errorf("run it where the shipped config.yaml is: %w", err)
	}
	out, err := os.Create(os.Args[1])
	if err != nil {
		return 0, err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return 0, err
	}
	os.Args = append(os.Args[:1], os.Args[2:]...)
	code := cli.Execute(cli.Build{Version: "profiled", Config: shipped})
	pprof.StopCPUProfile()
	return code, out.Close()
}
