package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen takes the addresses first: an address that is taken is the most common mistake and the cheapest to find.
func (a *App) listen(context.Context) (err error) {
	if a.public, err = a.listenOn(nameListen, a.Config.Listen, "--listen"); err != nil {
		return err
	}
	if a.admin, err = a.listenOn(nameAdmin, a.Config.Admin, "--admin"); err != nil {
		return err
	}
	a.adminAddr = a.admin.Addr().String()
	defer a.Inherited.dropListeners() // a socket that listens and is not served would keep its clients waiting
	if a.Config.Planner.Listen != "" {
		a.planner, err = a.listenOn(namePlanner, a.Config.Planner.Listen, "planner.listen in the configuration")
	}
	return err
}

// listenOn uses the socket we were given for this, else makes one.
func (a *App) listenOn(name, address, cure string) (net.Listener, error) {
	a.addresses[name] = a.was.Addresses[name]
	if l := a.Inherited.listener(name, address, a.was.Addresses); l != nil {
		return l, nil
	}
	a.addresses[name] = address
	key := map[string]string{namePlanner: "planner.listen"}[name]
	if key == "" {
		key = name
	}
	return listenOn(address, key, cure)
}

func listenOn(address, key, cure string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		_, port, _ := net.SplitHostPort(address)
		return nil, fmt.Errorf("cannot listen on %s (%s): port %s is taken by another program; choose another with %s", address, key, port, cure)
	default:
		return nil, fmt.Errorf("cannot listen on %s (%s): %w; choose another with %s", address, key, err, cure)
	}
}

// portFree binds and lets go: nobody holds the port then.
func portFree(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return l.Close()
}
