package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"understudy/bench/stage"
)

// idleRace opens many connections to a balancer, each of which asks once and then stays, and looks whether anybody else notices. It fails
// when a new connection is not served or the balancer has grown beyond what is allowed; how fast the admin plane answers is only printed.
func idleRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	binary := fs.String("understudy", "bin/understudy", "the binary")
	n := fs.Int("connections", 5000, "to open")
	const allowed = 150 << 20
	return func(ctx context.Context, s *stage.Stage) error {
		if err := enoughFiles(*n + 200); err != nil {
			return err
		}
		b, err := startBalancer(ctx, s, *binary)
		if err != nil {
			return err
		}
		var open []net.Conn
		defer func() {
			for _, c := range open {
				c.Close()
			}
		}()
		began := time.Now()
		if open, err = askAll(ctx, b.listen, *n); err != nil {
			return err
		}
		took := time.Since(began)
		t := table{title: fmt.Sprintf("With %d idle connections, opened in %.1f s", *n, took.Seconds()), columns: []string{"a new connection for", "answered in ms"}}
		var slowest time.Duration
		for _, url := range []string{"http://" + b.listen + "/echo", "http://" + b.admin + "/readyz", "http://" + b.admin + "/metrics"} {
			lasted, err := timed(ctx, url)
			if err != nil {
				return err
			}
			t.add(url[len("http://127.0.0.1:"):], ms(lasted.Seconds()*1e3))
			slowest = max(slowest, lasted)
		}
		rss, err := stage.RSS(b.process.PID)
		if err != nil {
			return err
		}
		fds, err := stage.FDs(b.process.PID)
		if err != nil {
			return err
		}
		t.print(os.Stdout)
		fmt.Printf("  file descriptors of the balancer: %d\n", fds)
		goal(os.Stdout, "slowest answer", slowest.Seconds()*1e3, 50, true, " ms")
		goal(os.Stdout, "RSS", float64(rss)/(1<<20), allowed>>20, true, " MiB")
		if fds < *n {
			return fmt.Errorf("the balancer holds %d file descriptors, so some of the %d connections are gone", fds, *n)
		}
		if rss >= allowed {
			return fmt.Errorf("the balancer has %d MiB resident, allowed are %d", rss>>20, allowed>>20)
		}
		return nil
	}
}

// askAll opens n connections. Those it could open come with the error too.
func askAll(ctx context.Context, listen string, n int) (open []net.Conn, err error) {
	for range n {
		c, err := askAndStay(ctx, listen)
		if err != nil {
			return open, fmt.Errorf("connection %d: %w", len(open)+1, err)
		}
		open = append(open, c)
	}
	return open, nil
}

// enoughFiles looks at our own limit; the balancer inherits the hard one and, being written in Go, raises itself to it as we did.
func enoughFiles(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur < uint64(n) {
		return fmt.Errorf("this race needs %d open files, the limit is %d: raise it with ulimit -Hn %d (as root) and start again", n, limit.Cur, n)
	}
	return nil
}

// askAndStay opens a connection and sends one request on it.
func askAndStay(ctx context.Context, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	err = c.SetDeadline(time.Now().Add(10 * time.Second))
	if err == nil {
		_, err = io.WriteString(c, "GET /echo HTTP/1.1\r\nHost: idle\r\n\r\n")
	}
	if err == nil {
		err = goodAnswer(c)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, c.SetDeadline(time.Time{})
}

func goodAnswer(c net.Conn) error {
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// timed asks once and expects 200.
func timed(ctx context.Context, url string) (time.Duration, error) {
	began := time.Now()
	status, body, err := stage.Get(ctx, url)
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("%s answered %d: %s", url, status, body)
	}
	return time.Since(began), nil
}
