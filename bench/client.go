package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"understudy/bench/stage"
)

// clientRace gives each load client one core and the same server on another, and lets it send back to back.
func clientRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	binary := fs.String("understudy", "bin/understudy", "the binary")
	lasts := fs.Duration("lasts", 5*time.Second, "of one shot")
	rounds := fs.Int("rounds", 3, "interleaved; the best counts")
	return func(ctx context.Context, s *stage.Stage) error {
		if err := stage.Need("hey", "wrk", "nginx", "taskset"); err != nil {
			return err
		}
		if runtime.NumCPU() < 2 {
			return fmt.Errorf("this race needs two cores, one for the server and one for the client; there is one")
		}
		printMachine()
		server, url, err := staticServer(ctx, s)
		if err != nil {
			return err
		}
		runners := clients(*binary, url, *lasts)
		rates, busy := make([]float64, len(runners)), make([]float64, len(runners))
		for range *rounds {
			for i, c := range runners {
				before, err := stage.CPU(server.PID)
				if err != nil {
					return err
				}
				began := time.Now()
				rate, err := c.run(ctx)
				if err != nil {
					return err
				}
				after, err := stage.CPU(server.PID)
				if err != nil {
					return err
				}
				rates[i], busy[i] = max(rates[i], rate), max(busy[i], (after-before).Seconds()/time.Since(began).Seconds())
			}
		}
		printClients(runners, rates, busy, *lasts, *rounds)
		return nil
	}
}

// staticServer is nginx with one process on core 1.
func staticServer(ctx context.Context, s *stage.Stage) (*stage.Process, string, error) {
	address, err := stage.Address()
	if err != nil {
		return nil, "", err
	}
	conf, err := s.File("static.conf", staticConfig(s.Dir, address))
	if err != nil {
		return nil, "", err
	}
	p, err := s.Start(stage.Command{Name: "nginx", Cores: "1", Args: []string{"nginx", "-p", s.Dir, "-c", conf, "-e", "stderr"}})
	if err != nil {
		return nil, "", err
	}
	return p, "http://" + address, p.Answers(ctx, "http://"+address+"/x")
}

// loadClient is one client in the race; run returns its requests a second.
type loadClient struct {
	name string
	run  func(context.Context) (float64, error)
}

func clients(binary, url string, lasts time.Duration) []loadClient {
	const core = "0"
	of := func(name string, args ...string) loadClient {
		return loadClient{name, func(ctx context.Context) (float64, error) {
			out, _, err := stage.Run(ctx, stage.Command{Name: name, Args: append([]string{name}, args...), Cores: core})
			if err != nil {
				return 0, err
			}
			return number(string(out), `Requests/sec:\s+([\d.]+)`)
		}}
	}
	ours := func(ctx context.Context) (float64, error) {
		r, _, err := runOurs(ctx, binary, core, "--target", url, "--mix", "x=1", "--method", "GET", "-c", "64", "--duration", lasts.String())
		if err != nil {
			return 0, err
		}
		return r.Rate, nil
	}
	return []loadClient{
		{understudy, ours},
		of("hey", "-c", "64", "-z", lasts.String(), url+"/x"),
		of("wrk", "-t", "1", "-c", "64", "-d", fmt.Sprintf("%.0fs", lasts.Seconds()), url+"/x"),
	}
}

func printClients(runners []loadClient, rates, busy []float64, lasts time.Duration, rounds int) {
	t := table{
		title:   fmt.Sprintf("64 connections for %v, the client on core 0, the server (nginx) on core 1, best of %d", lasts, rounds),
		columns: []string{"client", "requests/s", "÷ hey", "÷ wrk", "server busy"},
	}
	for i, c := range runners {
		t.add(c.name, fmt.Sprintf("%.0f", rates[i]), ratio(rates[i], rates[1]), ratio(rates[i], rates[2]), fmt.Sprintf("%.0f %%", busy[i]*100))
	}
	t.print(os.Stdout)
	goal(os.Stdout, "÷ hey", rates[0]/rates[1], 1.3, false, "")
	goal(os.Stdout, "÷ wrk", rates[0]/rates[2], 0.6, false, "")
}
