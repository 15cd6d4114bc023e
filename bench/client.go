package main

import (
	"context"
	"flag"
	"fmt"
	"io"
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
		server, url, err := staticServer(ctx, s)
		if err != nil {
			return err
		}
		clients := loadClients(*binary, url, *lasts)
		for range *rounds {
			for _, c := range clients {
				if err := c.shoot(ctx, server); err != nil {
					return err
				}
			}
		}
		printClients(os.Stdout, clients, fmt.Sprintf("64 connections for %v, the client on core 0, the server (nginx) on core 1, best of %d", *lasts, *rounds))
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

// loadClient is one client in the race.
type loadClient struct {
	name  string
	run   func(context.Context) (requests, perSecond float64, o stage.Outcome, err error)
	shots []shot
	busy  float64 // the highest share of its core that the server was busy
}

// shoot runs the client once.
func (c *loadClient) shoot(ctx context.Context, server *stage.Process) error {
	before, err := stage.CPU(server.PID)
	if err != nil {
		return err
	}
	began := time.Now()
	requests, perSecond, o, err := c.run(ctx)
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := stage.CPU(server.PID)
	if err != nil {
		return err
	}
	c.shots = append(c.shots, shot{perSecond, time.Duration(float64(o.CPU) / requests)})
	c.busy = max(c.busy, (after-before).Seconds()/took.Seconds())
	return nil
}

func loadClients(binary, url string, lasts time.Duration) []*loadClient {
	const core = "0"
	of := func(name, requests string, args ...string) *loadClient {
		return &loadClient{name: name, run: func(ctx context.Context) (n, perSecond float64, o stage.Outcome, err error) {
			if o, err = stage.Run(ctx, stage.Command{Name: name, Args: append([]string{name}, args...), Cores: core}); err != nil {
				return
			}
			if n, err = number(o.Out, requests); err != nil {
				return
			}
			perSecond, err = number(o.Out, `Requests/sec:\s+([\d.]+)`)
			return
		}}
	}
	ours := func(ctx context.Context) (float64, float64, stage.Outcome, error) {
		r, o, err := runOurs(ctx, binary, core, "--target", url, "--mix", "x=1", "--method", "GET", "-c", "64", "--duration", lasts.String())
		if err != nil {
			return 0, 0, o, err
		}
		return float64(r.Count), r.Rate, o, nil
	}
	return []*loadClient{
		{name: understudy, run: ours},
		of("hey", `\[200\]\s+(\d+) responses`, "-c", "64", "-z", lasts.String(), url+"/x"),
		of("wrk", `(\d+) requests in`, "-t", "1", "-c", "64", "-d", fmt.Sprintf("%.0fs", lasts.Seconds()), url+"/x"),
	}
}

// printClients compares all with the second and the third. CPU per request says the same as the throughput while nobody else wants the
// client's core, and is the surer one when somebody does; a server that is busy all the time held its client back.
func printClients(w io.Writer, clients []*loadClient, title string) {
	t := table{title: title, columns: []string{"client", "requests/s", "÷ hey", "÷ wrk", "CPU µs/request", "hey's ÷ it", "wrk's ÷ it", "server busy"}}
	var b []shot
	for _, c := range clients {
		b = append(b, best(c.shots))
	}
	for i, c := range clients {
		cpu := float64(b[i].cpu)
		t.add(c.name, fmt.Sprintf("%.0f", b[i].perSecond), ratio(b[i].perSecond, b[1].perSecond), ratio(b[i].perSecond, b[2].perSecond),
			fmt.Sprintf("%.1f", cpu/1e3), ratio(float64(b[1].cpu), cpu), ratio(float64(b[2].cpu), cpu), fmt.Sprintf("%.0f %%", c.busy*100))
	}
	t.print(w)
	goal(w, "requests/s ÷ hey", b[0].perSecond/b[1].perSecond, 1.3, false, "")
	goal(w, "requests/s ÷ wrk", b[0].perSecond/b[2].perSecond, 0.6, false, "")
}
