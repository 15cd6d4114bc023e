package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/client"

	"understudy/driver"
)

// connect says hello to the engine there.
func connect(ctx context.Context, ep endpoint, l *limits) (*engine, error) {
	scheme, address, err := ep.split()
	if err != nil {
		return nil, err
	}
	if ep.elsewhere() {
		return nil, fmt.Errorf("the Docker engine at %s (%s) may be on another machine, where workers cannot be reached yet: "+
			"use an engine on this one, by its socket or a loopback address", ep.host, ep.source())
	}
	api, err := newClient(ep)
	if err != nil {
		return nil, failure(fmt.Sprintf("cannot use %s (%s) as the address of a Docker engine: %v", ep.host, ep.source(), err), driver.ErrUnavailable)
	}
	limited, cancel := context.WithTimeout(ctx, l.dial)
	defer cancel()
	version, err := hello(limited, api, scheme, address)
	if err != nil {
		api.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, explainConnect(ep, address, err, l.dial)
	}
	if version.Os != "linux" {
		api.Close()
		return nil, fmt.Errorf("the Docker engine at %s runs %s containers; understudy needs one that runs linux containers", ep.host, version.Os)
	}
	if err := ep.tooOld(version); err != nil {
		api.Close()
		return nil, err
	}
	return newEngine(api, ep, version, l), nil
}

// newClient makes the SDK's client. The API version is negotiated; DOCKER_API_VERSION, which would pin it, is not read.
func newClient(ep endpoint) (*client.Client, error) {
	opts := []client.Opt{client.WithHost(ep.host), client.WithAPIVersionNegotiation(), client.WithUserAgent("understudy")}
	if ep.tls != nil {
		transport := &http.Transport{TLSClientConfig: ep.tls, MaxIdleConns: 6, IdleConnTimeout: 30 * time.Second}
		opts = append([]client.Opt{client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect})}, opts...)
	}
	return client.NewClientWithOpts(opts...)
}

// hello dials by hand first: the SDK hides the cause when it cannot connect.
func hello(ctx context.Context, api *client.Client, scheme, address string) (types.Version, error) {
	if network := map[string]string{"unix": "unix", "tcp": "tcp", "http": "tcp", "https": "tcp"}[scheme]; network != "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return types.Version{}, err
		}
		conn.Close()
	}
	if err := negotiate(ctx, api); err != nil {
		return types.Version{}, err
	}
	return api.ServerVersion(ctx)
}

// explainConnect turns what went wrong while connecting into a sentence that says what to check.
func explainConnect(ep endpoint, address string, err error, patience time.Duration) error {
	at := fmt.Sprintf("%s (%s)", ep.host, ep.source())
	const service = "check that the service runs (systemctl status docker)"
	var timeout net.Error
	switch {
	case otherVersion(err):
		return ep.tooNew(err)
	case errors.Is(err, fs.ErrNotExist) && ep.from == "":
		return failure(fmt.Sprintf("there is no Docker engine here: no socket at %s, and neither DOCKER_HOST nor a docker context names another address; "+
			"install Docker or start it (systemctl start docker)", address), ErrNoEngine, driver.ErrUnavailable)
	case errors.Is(err, fs.ErrNotExist):
		return failure(fmt.Sprintf("no Docker engine at %s: there is no such socket; check the address, and %s", at, service), driver.ErrUnavailable)
	case errors.Is(err, fs.ErrPermission):
		return failure(fmt.Sprintf("no permission to use the Docker engine at %s: permission denied for user %d; "+
			"add the user to the docker group (usermod -aG docker NAME) and log in again", at, os.Getuid()), driver.ErrUnavailable)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure(fmt.Sprintf("no Docker engine answers at %s: connection refused; check the address, and %s", at, service), driver.ErrUnavailable)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return failure(fmt.Sprintf("the Docker engine at %s did not answer within %s; check the address, and %s", at, patience, service), driver.ErrUnavailable)
	}
	return failure(fmt.Sprintf("cannot talk to the Docker engine at %s: %v; check the address and its TLS settings, and %s", at, err, service), driver.ErrUnavailable)
}
