package app

import (
	"net"
	"os"
	"syscall"
)

// duplicate is a descriptor for the same socket, to be given to a child. It is not made by the listener's File: handing that one to a child
// makes the socket block, ours too, because that belongs to the socket and not to the descriptor.
func duplicate(from syscall.Conn, name string) (*os.File, error) {
	raw, err := from.SyscallConn()
	if err != nil {
		return nil, err
	}
	var file *os.File
	var failed error
	err = raw.Control(func(fd uintptr) {
		syscall.ForkLock.RLock() // or a child that is started in between gets it
		defer syscall.ForkLock.RUnlock()
		n, err := syscall.Dup(int(fd))
		if failed = err; err == nil {
			syscall.CloseOnExec(n)
			file = os.NewFile(uintptr(n), name)
		}
	})
	if err == nil {
		err = failed
	}
	return file, err
}

// line is two connected sockets: ours, and one for a child.
func line() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	near := os.NewFile(uintptr(pair[0]), nameControl)
	defer near.Close()
	theirs = os.NewFile(uintptr(pair[1]), nameControl)
	ours, err = net.FileConn(near)
	if err != nil {
		theirs.Close()
	}
	return ours, theirs, err
}
