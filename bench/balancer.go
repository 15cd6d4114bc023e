package main

import (
	"context"
	"fmt"

	"understudy/bench/stage"
)

// balancer is understudy by itself, with an admin address that is known.
type balancer struct {
	process       *stage.Process
	listen, admin string
}

// startBalancer runs the shipped binary before one tiny backend.
func startBalancer(ctx context.Context, s *stage.Stage, binary string) (*balancer, error) {
	backend, err := startBackend(ctx, s, "backend")
	if err != nil {
		return nil, err
	}
	pools := fmt.Sprintf("  - {name: race, capabilities: [echo], concurrency: 100, members: [\"http://%s\"]}\n", backend)
	b, err := newBalancer(ctx, s, binary, "process", pools)
	if err != nil {
		return nil, err
	}
	return b, b.process.Answers(ctx, "http://"+b.listen+"/echo")
}

// newBalancer runs it with these pools and waits until it is ready. With an error that comes from the waiting there is a balancer too.
func newBalancer(ctx context.Context, s *stage.Stage, binary, driver, pools string) (*balancer, error) {
	b := &balancer{}
	var err error
	if b.listen, err = stage.Address(); err != nil {
		return nil, err
	}
	if b.admin, err = stage.Address(); err != nil {
		return nil, err
	}
	conf, err := s.File("balancer.yaml", balancerConfig(b.listen, b.admin, driver, pools))
	if err != nil {
		return nil, err
	}
	b.process, err = s.Start(stage.Command{Name: "balancer", Args: []string{binary, "balancer", "--config", conf}})
	if err != nil {
		return nil, err
	}
	return b, b.process.Answers(ctx, "http://"+b.admin+"/readyz")
}
