// Understudy is an autoscaling load balancer that drives the Docker daemon.
package main

import (
	_ "embed"
	"os"

	"understudy/cli"
)

//go:embed config.yaml
var shipped []byte

// version is set by the Makefile.
var version = "dev"

func main() { os.Exit(cli.Execute(cli.Build{Version: version, Config: shipped})) }
