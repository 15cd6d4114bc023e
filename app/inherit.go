package app

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"understudy/handover"
)

// A process can be started with sockets that listen already: by systemd, which names them in LISTEN_FDS and LISTEN_FDNAMES, or by the balancer
// whose place it is to take, which adds the lock of the instance and a line to talk on.

// handoverEnv names the descriptors from 3 on that a balancer hands to its successor.
const handoverEnv = "UNDERSTUDY_HANDOVER"

// The names of descriptors. Those of listeners are the keys of the configuration that they stand for.
const (
	nameListen  = "listen"
	nameAdmin   = "admin"
	namePlanner = "planner"
	nameLock    = "lock"
	nameControl = "control"
)

const firstFD = 3

// Inherited is what a process got from who started it.
type Inherited struct {
	listeners   map[string]net.Listener
	lock        *os.File              // nil: the instance is not locked for us
	predecessor *handover.Predecessor // nil: nobody's place is to be taken
}

// Inherit takes what there is, so that no child of ours gets it. It yields nil when there is nothing. Call it once, before anything is started.
func Inherit() (*Inherited, error) {
	closeOnExec()
	names, err := inheritedNames(os.Getenv, os.Getpid())
	for _, name := range []string{handoverEnv, "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"} {
		os.Unsetenv(name)
	}
	if names == nil || err != nil {
		return nil, err
	}
	files := make([]*os.File, len(names))
	for i, name := range names {
		syscall.CloseOnExec(firstFD + i)
		files[i] = os.NewFile(uintptr(firstFD+i), name)
	}
	return unpack(names, files)
}

// closeOnExec keeps from our children whatever we were started with: a guard outlives us, and a pipe it held would keep its reader waiting.
func closeOnExec() {
	open, _ := os.ReadDir("/dev/fd") // where there is none, what is passed on is passed on
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= firstFD {
			syscall.CloseOnExec(fd)
		}
	}
}

// inheritedNames reads what the descriptors from 3 on are.
func inheritedNames(getenv func(string) string, pid int) ([]string, error) {
	if list := getenv(handoverEnv); list != "" {
		return strings.Split(list, ","), nil
	}
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil // they are not meant for us
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 1 || n > 16 {
		return nil, fmt.Errorf("LISTEN_FDS is %q: it must be the number of sockets, 1 to 16", getenv("LISTEN_FDS"))
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	if n == 1 && names[0] != nameAdmin && names[0] != namePlanner {
		return []string{nameListen}, nil // whatever it is called
	}
	for _, name := range names {
		if len(names) != n || name != nameListen && name != nameAdmin && name != namePlanner {
			return nil, fmt.Errorf("LISTEN_FDNAMES is %q for %d sockets: give each socket unit FileDescriptorName=%s, %s or %s",
				getenv("LISTEN_FDNAMES"), n, nameListen, nameAdmin, namePlanner)
		}
	}
	return names, nil
}

// unpack makes of each file what its name says. The files are used up.
func unpack(names []string, files []*os.File) (in *Inherited, err error) {
	in = &Inherited{listeners: map[string]net.Listener{}}
	for i, name := range names {
		file := files[i]
		switch name {
		case nameLock:
			in.lock = file
			continue
		case nameControl:
			conn, broken := net.FileConn(file)
			if err = broken; err == nil {
				in.predecessor = handover.NewPredecessor(conn)
			}
		default:
			in.listeners[name], err = net.FileListener(file)
		}
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("the descriptor %d, %q, that this process was started with is not what it should be: %w", firstFD+i, name, err)
		}
	}
	return in, nil
}

// Fail tells who started us that nothing will come of it, and why. Safe on nil.
func (in *Inherited) Fail(why error) {
	if in == nil || in.predecessor == nil {
		return
	}
	in.predecessor.Fail(why)
	in.predecessor.Close()
}

// listener yields the one of that name, if there is one that fits the address as it is configured. given is the address it was made for; empty: any.
func (in *Inherited) listener(name, address string, given map[string]string) net.Listener {
	if in == nil || in.listeners[name] == nil {
		return nil
	}
	if was := given[name]; was != "" && was != address {
		return nil
	}
	l := in.listeners[name]
	delete(in.listeners, name)
	return l
}

// dropListeners closes those that nobody wanted. Safe on nil.
func (in *Inherited) dropListeners() {
	if in == nil {
		return
	}
	for _, l := range in.listeners {
		l.Close()
	}
	clear(in.listeners)
}

// drop closes all that nobody wanted. Safe on nil.
func (in *Inherited) drop() {
	if in == nil {
		return
	}
	in.dropListeners()
	if in.lock != nil {
		in.lock.Close() // a copy: it stays locked for whoever locked it
	}
}
