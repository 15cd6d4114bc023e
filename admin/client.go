package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNoBalancer: nothing listens at the admin address.
var ErrNoBalancer = errors.New("no balancer answers")

const (
	answerLimit = 10 * time.Second
	maxAnswer   = 32 << 20
)

// Client asks a balancer's admin plane. Its methods may be called concurrently; their errors are one sentence for a person.
type Client struct {
	Base  string       // http://127.0.0.1:8081, or host:port as the configuration has it
	Token string       // empty: none
	HTTP  *http.Client // nil: one without proxies and redirects
}

// Status is what the balancer shows now.
func (c Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.get(ctx, "/api/v1/status", &s)
}

// Decisions are the last n, oldest first; n from 1 to 1000.
func (c Client) Decisions(ctx context.Context, n int) (Decisions, error) {
	var d Decisions
	return d, c.get(ctx, "/api/v1/decisions?n="+strconv.Itoa(n), &d)
}

// Quit asks the balancer to drain and end. It returns once that has begun.
func (c Client) Quit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return c.do(ctx, http.MethodPost, "/api/v1/quit", func(io.Reader) error { return nil })
}

// Drain asks for one worker to be taken out. It returns once that has begun.
func (c Client) Drain(ctx context.Context, worker string) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return c.do(ctx, http.MethodDelete, "/api/v1/workers/"+url.PathEscape(worker), func(io.Reader) error { return nil })
}

// Logs copies what the workers of a pool print to w. With follow it goes on until ctx ends, which is no error, or the balancer does.
func (c Client) Logs(ctx context.Context, pool string, follow bool, w io.Writer) error {
	query := url.Values{"pool": {pool}}
	if follow {
		query.Set("follow", "1")
	}
	err := c.do(ctx, http.MethodGet, "/api/v1/logs?"+query.Encode(), func(body io.Reader) error {
		_, err := io.Copy(w, body)
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c Client) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return c.do(ctx, http.MethodGet, path, func(body io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(into); err != nil {
			return fmt.Errorf("what answers at %s is no understudy balancer: %w", c.Base, err)
		}
		return nil
	})
}

// do sends one request and hands the body of a good answer to use.
func (c Client) do(ctx context.Context, method, path string, use func(io.Reader) error) error {
	base, err := baseURL(c.Base)
	if err != nil {
		return err
	}
	c.Base = base
	r, err := http.NewRequestWithContext(ctx, method, base+path, nil)
	if err != nil {
		return fmt.Errorf("the admin address %q cannot be used: %w", c.Base, err)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = plainHTTP()
		defer client.CloseIdleConnections()
	}
	answer, err := client.Do(r)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return c.refused(answer)
	}
	if err := use(answer.Body); err != nil {
		return c.broken(ctx, err)
	}
	return nil
}

// plainHTTP follows no redirect, which could carry the token elsewhere, and asks no proxy about an address that is nearly always loopback.
func plainHTTP() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: answerLimit}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// baseURL turns what people write into the start of a URL. An address that means "every interface" is reached on loopback.
func baseURL(base string) (string, error) {
	full := base
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("the admin address %q is not of the form http://HOST:PORT", base)
	}
	switch addr, _ := netip.ParseAddr(u.Hostname()); {
	case u.Hostname() == "", addr.Is4() && addr.IsUnspecified():
		u.Host = strings.TrimSuffix("127.0.0.1:"+u.Port(), ":")
	case addr.IsUnspecified():
		u.Host = strings.TrimSuffix("[::1]:"+u.Port(), ":")
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

// noBalancer is ErrNoBalancer with what to do about it.
type noBalancer struct{ base string }

func (e noBalancer) Error() string {
	return fmt.Sprintf("no balancer answers at %s; start one with `understudy balancer` or give --admin", e.base)
}

func (e noBalancer) Unwrap() error { return ErrNoBalancer }

// unreachable is the sentence for a request that got no answer.
func (c Client) unreachable(ctx context.Context, err error) error {
	var unknown *net.DNSError
	var cut *url.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &cut) && cut.Timeout():
		return fmt.Errorf("the balancer at %s did not answer within %s; is it overloaded, or is something else listening there?", c.Base, answerLimit)
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &unknown):
		return noBalancer{c.Base}
	default:
		if cut != nil {
			err = cut.Err
		}
		return fmt.Errorf("the balancer at %s gave no proper answer: %w; check --admin", c.Base, err)
	}
}

// broken is the sentence for an answer that ended too early.
func (c Client) broken(ctx context.Context, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("the balancer at %s cut its answer short: %w", c.Base, err)
	}
	if ctx.Err() != nil {
		return c.unreachable(ctx, err)
	}
	return err
}

// refused is the sentence for an answer that says no.
func (c Client) refused(answer *http.Response) error {
	if answer.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("the balancer at %s wants its admin token; give it in UNDERSTUDY_ADMIN_TOKEN or with --token", c.Base)
	}
	var p problem
	body := io.LimitReader(answer.Body, maxAnswer)
	if err := json.NewDecoder(body).Decode(&p); err != nil || p.Detail == "" {
		return fmt.Errorf("what answers at %s is no understudy balancer: it says %s", c.Base, answer.Status)
	}
	return fmt.Errorf("the balancer at %s says: %s", c.Base, plain(p.Detail))
}
