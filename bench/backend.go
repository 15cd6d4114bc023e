package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"understudy/bench/stage"
)

// backendServer is the server behind the proxies: it speaks just enough HTTP/1.1 for proxies that know the length of a body, so that little
// of the machine goes into what is not raced. Optionally it answers nothing for a while once in a period that begins when it does.
func backendServer(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	var b backend
	listen := fs.String("listen", "127.0.0.1:0", "address")
	name := fs.String("name", "backend", "its id in the answers")
	fs.DurationVar(&b.stall.lasts, "stall", 0, "how long it answers nothing at the beginning of each period")
	fs.DurationVar(&b.stall.every, "every", 10*time.Second, "the period of its stalls")
	return func(ctx context.Context, _ *stage.Stage) error {
		l, err := net.Listen("tcp", *listen)
		if err != nil {
			return err
		}
		b.answer, b.began = smallAnswer(*name), time.Now()
		stop := context.AfterFunc(ctx, func() { l.Close() })
		defer stop()
		for {
			c, err := l.Accept()
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			go b.serve(c)
		}
	}
}

type backend struct {
	answer []byte
	stall  stalls
	began  time.Time
}

func smallAnswer(name string) []byte {
	body := fmt.Sprintf(`{"res":42,"duration":1,"id":%q}`, name)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s",
		time.Now().UTC().Format(http.TimeFormat), len(body), body)
}

// serve answers until the connection ends or something comes that it does not understand.
func (b *backend) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		length, err := readHead(r)
		if err == nil {
			_, err = r.Discard(length)
		}
		if errors.Is(err, errNotUnderstood) {
			_, _ = io.WriteString(c, "HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
		if err != nil {
			return
		}
		if b.stall.lasts > 0 {
			<-time.After(b.stall.left(time.Since(b.began)))
		}
		if _, err := c.Write(b.answer); err != nil {
			return
		}
	}
}

var errNotUnderstood = errors.New("a request whose length is not given")

// readHead reads up to the empty line and returns the length of the body that follows.
func readHead(r *bufio.Reader) (length int, err error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, errNotUnderstood
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return 0, errNotUnderstood
		}
	}
}
