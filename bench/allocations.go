package main

import (
	"context"
	"fmt"

	"understudy/bench/stage"
)

// printAllocations runs the balancer's own benchmark. Its client and worker allocate in the same process, so what they allocate without the
// balancer is taken off.
func printAllocations(ctx context.Context) error {
	out, err := stage.Run(ctx, stage.Command{
		Name: "the balancer's benchmark",
		Args: []string{"go", "test", "-run", "^$", "-bench", "^BenchmarkProxied$", "-benchtime", "20000x", "-benchmem", "./balancer"},
	})
	if err != nil {
		return err
	}
	var allocs, bytes [2]float64
	for i, name := range []string{"straight", "balanced"} {
		if bytes[i], err = number(out.Out, `BenchmarkProxied/`+name+`\S*\s.*?(\d+) B/op`); err != nil {
			return err
		}
		if allocs[i], err = number(out.Out, `BenchmarkProxied/`+name+`\S*\s.*?(\d+) allocs/op`); err != nil {
			return err
		}
	}
	fmt.Printf("\nAllocations per proxied POST in the balancer: %.0f, %.1f KiB (with the client and the worker of the benchmark %.0f)\n",
		allocs[1]-allocs[0], (bytes[1]-bytes[0])/1024, allocs[1])
	return nil
}
