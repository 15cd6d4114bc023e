package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
)

// ErrUnreachable is what Run's error wraps when nothing takes connections at the target, or only such as cannot be trusted. Nothing was sent then.
var ErrUnreachable = errors.New("the target cannot be reached")

// reach makes one connection and drops it, so that a wrong address is one sentence instead of a report full of errors.
func reach(ctx context.Context, o Options) error {
	u, err := url.Parse(o.Target)
	if err != nil {
		return err
	}
	dialing, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := o.Dial(dialing, "tcp", addressOf(u))
	if err == nil {
		err = handshake(dialing, conn, u, o.TLS)
		_ = conn.Close() // nothing is under way on it
		if err == nil {
			return nil
		}
	} else {
		err = fmt.Errorf("nothing takes connections at %s (%s); is it running, and is the address right?", o.Target, reason(err))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the run was told to end before %s was reached: %w", o.Target, context.Cause(ctx))
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// handshake sees whether the other side of conn can be trusted, where u asks for that.
func handshake(ctx context.Context, conn net.Conn, u *url.URL, trust *tls.Config) error {
	if u.Scheme != "https" {
		return nil
	}
	c := trust.Clone()
	if c == nil {
		c = new(tls.Config)
	}
	if c.ServerName == "" {
		c.ServerName = u.Hostname()
	}
	err := tls.Client(conn, c).HandshakeContext(ctx)
	var untrusted *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("nobody trusted here vouches for the certificate of %s; trust whoever does with --ca FILE, or check nothing with --insecure", u)
	case errors.As(err, &untrusted):
		return fmt.Errorf("the certificate of %s is not trusted (%w); use a name it is for as the target, or check nothing with --insecure", u, untrusted.Err)
	case errors.As(err, new(tls.RecordHeaderError)):
		return fmt.Errorf("what listens at %s speaks no TLS; did you mean http://%s?", u, u.Host)
	}
	return fmt.Errorf("there can be no TLS connection to %s: %w; is it a server for https, and which versions does it speak?", u, err)
}

// addressOf is what to dial for u.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// reason is the innermost part of a dial error, such as "connection refused".
func reason(err error) string {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return dns.Err
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &op) && op.Timeout():
		return "no answer in time"
	case errors.As(err, &op):
		for err = op.Err; errors.Unwrap(err) != nil; {
			err = errors.Unwrap(err)
		}
	}
	return err.Error()
}
