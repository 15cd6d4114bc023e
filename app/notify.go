package app

import (
	"log/slog"
	"net"
	"strings"
)

// notify tells the service manager something, in the way of sd_notify(3): READY=1, STOPPING=1, MAINPID=n. Without one it does nothing.
func (a *App) notify(state string) {
	if a.Notify == "" {
		return
	}
	if err := sendState(a.Notify, state); err != nil {
		a.Log.Warn("the service manager does not hear us", slog.String("state", state), slog.Any("error", err))
	}
}

// sendState writes one datagram. An address that begins with @ is in Linux's abstract namespace.
func sendState(address, state string) error {
	if name, abstract := strings.CutPrefix(address, "@"); abstract {
		address = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
