package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/docker/api"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"understudy/driver"
)

// oldestAPI is that of Docker 20.10.
const oldestAPI = "1.41"

// api is the SDK's client as it is now. A call that is under way keeps the one it began with.
func (e *engine) api() *client.Client { return e.sdk.Load() }

// call makes one call with a client that knows the version of the engine that is there now. An engine that does not speak the
// version it is asked in has done nothing, so the call is made once more in one it does.
func (e *engine) call(ctx context.Context, call func(context.Context) error) error {
	err := e.renew(ctx)
	if err == nil {
		err = call(ctx)
	}
	if otherVersion(err) {
		e.lost.Store(true)
		if err = e.renew(ctx); err == nil {
			err = call(ctx)
		}
	}
	if unreachable(err) {
		e.lost.Store(true)
	}
	return err
}

// renew makes a new client after the connection has broken. The SDK asks for the engine's version once and stays with it, though
// the engine may have been replaced by another one meanwhile; and it lets others wait for that question however little time they
// have, so it is asked here.
func (e *engine) renew(ctx context.Context) error {
	if !e.lost.Load() {
		return nil
	}
	release, err := claim(ctx, e.renews)
	if err != nil {
		return err
	}
	defer release()
	if !e.lost.Swap(false) {
		return nil // somebody else was quicker
	}
	fresh, err := newClient(e.endpoint)
	if err != nil {
		e.lost.Store(true)
		return err
	}
	if err := negotiate(ctx, fresh); err != nil {
		e.lost.Store(true)
		fresh.Close()
		return err
	}
	e.sdk.Swap(fresh).Close() // its idle connections; calls under way go on
	return nil
}

// negotiate asks the engine for its version, and has the client speak it.
func negotiate(ctx context.Context, c *client.Client) error {
	ping, err := c.Ping(ctx)
	if err != nil {
		return err
	}
	c.NegotiateAPIVersionPing(ping)
	return nil
}

// otherVersion says whether the engine refused a call because of its version. Only the text tells.
func otherVersion(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "client version") && (strings.Contains(text, "is too new") || strings.Contains(text, "is too old"))
}

// tooOld is the sentence for an engine from before what we need; nil: it is not.
func (ep endpoint) tooOld(v types.Version) error {
	if v.APIVersion == "" || !versions.LessThan(v.APIVersion, oldestAPI) {
		return nil
	}
	return fmt.Errorf("the Docker engine at %s (%s) is too old: Docker %s speaks version %s of the API, understudy needs %s; update it to Docker 20.10 or newer",
		ep.host, ep.source(), v.Version, v.APIVersion, oldestAPI)
}

// tooNew is the sentence for an engine that has left behind every version we speak.
func (ep endpoint) tooNew(err error) error {
	return failure(fmt.Sprintf("the Docker engine at %s (%s) is too new for this understudy, which speaks versions %s to %s of its API: %s; update understudy",
		ep.host, ep.source(), oldestAPI, api.DefaultVersion, engineText(err)), driver.ErrUnavailable)
}
