package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"understudy/bench/stage"
)

// contender is one proxy in the race.
type contender struct {
	name    string
	url     string         // of what it serves
	process *stage.Process // nil: the backend itself, without a proxy
	shots   []shot
}

// field is everything a race among proxies needs: two backends and the proxies before them, all of them answering.
type field struct {
	binary   string // understudy
	profile  string // file for a CPU profile of understudy; empty: none
	backends [2]string
	proxies  []*contender
}

const (
	understudy = "understudy"
	reverse    = "ReverseProxy"
	haproxy    = "HAProxy"
	nginx      = "nginx"
	caddy      = "Caddy"
	direct     = "(no proxy)"
)

// threads is what every proxy may use.
const threads = 2

// start runs the backends and the proxies of these names.
func (f *field) start(ctx context.Context, s *stage.Stage, names ...string) error {
	for i := range f.backends {
		var err error
		if f.backends[i], err = startBackend(ctx, s, fmt.Sprintf("backend-%d", i+1)); err != nil {
			return err
		}
	}
	for _, name := range names {
		c, err := f.proxy(ctx, s, name)
		if err != nil {
			return err
		}
		f.proxies = append(f.proxies, c)
	}
	return nil
}

func (f *field) named(name string) *contender {
	for _, c := range f.proxies {
		if c.name == name {
			return c
		}
	}
	return nil
}

// startBackend runs the tiny server in a process of its own and returns its address.
func startBackend(ctx context.Context, s *stage.Stage, name string, more ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	address, err := stage.Address()
	if err != nil {
		return "", err
	}
	_, rest := cores()
	p, err := s.Start(stage.Command{Name: name, Cores: rest, Args: append([]string{self, "backend", "-listen", address, "-name", name}, more...)})
	if err != nil {
		return "", err
	}
	return address, p.Answers(ctx, "http://"+address+"/")
}

func (f *field) proxy(ctx context.Context, s *stage.Stage, name string) (*contender, error) {
	address, err := stage.Address()
	if err != nil {
		return nil, err
	}
	c, err := f.command(s, name, address)
	if err != nil {
		return nil, err
	}
	c.Name = strings.ToLower(name)
	c.Cores, _ = cores()
	p, err := s.Start(c)
	if err != nil {
		return nil, err
	}
	out := &contender{name: name, url: "http://" + address + "/echo", process: p}
	return out, p.Answers(ctx, out.url)
}

func (f *field) command(s *stage.Stage, name, address string) (c stage.Command, err error) {
	goThreads := fmt.Sprint("GOMAXPROCS=", threads)
	var conf string
	switch name {
	case understudy:
		return f.understudy(s, address)
	case reverse:
		self, err := os.Executable()
		to := "http://" + f.backends[0] + ",http://" + f.backends[1]
		return stage.Command{Args: []string{self, "reverse", "-listen", address, "-to", to}, Env: []string{goThreads}}, err
	case haproxy:
		conf, err = s.File("haproxy.cfg", haproxyConfig(address, f.backends))
		return stage.Command{Args: []string{"haproxy", "-db", "-f", conf}}, err
	case nginx:
		conf, err = s.File("nginx.conf", nginxConfig(s.Dir, address, f.backends))
		return stage.Command{Args: []string{"nginx", "-p", s.Dir, "-c", conf, "-e", "stderr"}}, err
	case caddy:
		conf, err = s.File("Caddyfile", caddyConfig(address, f.backends))
		home := filepath.Join(s.Dir, "caddy")
		return stage.Command{
			Args: []string{"caddy", "run", "--config", conf, "--adapter", "caddyfile"},
			Env:  []string{goThreads, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home},
		}, err
	}
	return stage.Command{}, fmt.Errorf("there is no proxy %s", name)
}

// understudy runs the binary as it is shipped, or with a profile the same code in a program that records one.
func (f *field) understudy(s *stage.Stage, address string) (stage.Command, error) {
	pool := fmt.Sprintf("  - {name: race, capabilities: [echo], concurrency: 100, members: [\"http://%s\", \"http://%s\"]}\n", f.backends[0], f.backends[1])
	conf, err := s.File("understudy.yaml", balancerConfig(address, "127.0.0.1:0", "process", pool))
	if err != nil {
		return stage.Command{}, err
	}
	program := []string{f.binary}
	if f.profile != "" {
		program = []string{profiledBinary(f.binary), f.profile}
	}
	return stage.Command{Args: append(program, "balancer", "--config", conf), Env: []string{fmt.Sprint("GOMAXPROCS=", threads)}}, nil
}

// profiledBinary lies beside the shipped one; the Makefile builds both.
func profiledBinary(binary string) string { return filepath.Join(filepath.Dir(binary), "profiled") }

// balancerConfig is a configuration of understudy with these pools, its instance named for its port.
func balancerConfig(listen, admin, driver, pools string) string {
	_, port, _ := net.SplitHostPort(listen)
	return fmt.Sprintf("instance: bench-%s\nlisten: %s\nadmin: %s\ndriver: %s\npools:\n%s", port, listen, admin, driver, pools)
}
