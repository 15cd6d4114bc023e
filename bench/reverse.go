package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"understudy/bench/stage"
)

// reverseServer is what a Go programmer writes first: the standard library's proxy, round-robin, with enough idle connections to keep.
func reverseServer(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	listen := fs.String("listen", "127.0.0.1:0", "address")
	to := fs.String("to", "", "base URLs of the backends, with commas between them")
	return func(ctx context.Context, _ *stage.Stage) error {
		var backends []*url.URL
		for base := range strings.SplitSeq(*to, ",") {
			u, err := url.Parse(base)
			if err != nil {
				return err
			}
			backends = append(backends, u)
		}
		var turn atomic.Uint64
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(backends[turn.Add(1)%uint64(len(backends))])
				r.SetXForwarded()
			},
			Transport: &http.Transport{MaxIdleConnsPerHost: idlePerBackend, IdleConnTimeout: time.Minute},
			ErrorLog:  log.New(io.Discard, "", 0),
		}
		server := &http.Server{Addr: *listen, Handler: proxy}
		stop := context.AfterFunc(ctx, func() { server.Close() })
		defer stop()
		if err := server.ListenAndServe(); ctx.Err() == nil {
			return err
		}
		return nil
	}
}

// idlePerBackend lets every proxy keep all connections it makes in a race, so that none of them pays for new ones.
const idlePerBackend = 128
