//go:build unix

package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Lock makes sure that one instance name has one balancer on a host. The kernel lets it go when the process ends, however it ends,
// so that there is no stale lock to clear away.
type Lock struct {
	file   *os.File
	path   string
	theirs bool // another process has the instance with the same lock: it stays when we let go of our copy
}

// LockedError says who holds the lock.
type LockedError struct {
	Instance string
	Holder   string // what the holder wrote about itself
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("instance %q is already run by %s: end that one, or give this one another name with --instance", e.Instance, e.Holder)
}

// LockDir is where instances are locked: the same for all users, whatever their TMPDIR says.
func LockDir() string { return "/tmp" }

// TakeLock locks the instance for workers of this driver in folder dir. about is one line for whoever finds it locked.
func TakeLock(dir, driverName, instance, about string) (*Lock, error) {
	path := lockPath(dir, driverName, instance)
	for range 10 { // a holder that ends removes the file: then there is a new one to lock
		l, err := tryLock(path)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &LockedError{Instance: instance, Holder: readHolder(path)}
		}
		if err != nil {
			return nil, fmt.Errorf("cannot lock instance %q with the file %s: %w", instance, path, err)
		}
		if l != nil {
			return l, l.write(about)
		}
	}
	return nil, fmt.Errorf("cannot lock instance %q: the file %s keeps changing", instance, path)
}

func lockPath(dir, driverName, instance string) string {
	return filepath.Join(dir, fmt.Sprintf("understudy-%s-%s.lock", driverName, instance))
}

// tryLock yields nil without an error when the file was removed while we locked it.
func tryLock(path string) (*Lock, error) {
	// Without O_CREAT first: in a folder with the sticky bit the kernel may refuse O_CREAT on somebody else's file.
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o666)
		if errors.Is(err, os.ErrExist) {
			return nil, nil
		}
		if err == nil {
			err = file.Chmod(0o666) // another user's balancer must be able to find it locked, whatever our umask
		}
	}
	if err != nil {
		return nil, err
	}
	return lockFile(file, path)
}

// lockFile locks an open file, unless it is not the one there any more: then it yields nil without an error.
func lockFile(file *os.File, path string) (*Lock, error) {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, err
	}
	mine, err1 := file.Stat()
	there, err2 := os.Lstat(path)
	if err1 != nil || err2 != nil || !os.SameFile(mine, there) {
		file.Close()
		return nil, nil
	}
	return &Lock{file: file, path: path}, nil
}

func (l *Lock) write(about string) error {
	line := fmt.Sprintf("process %d (%s) since %s\n", os.Getpid(), about, time.Now().Format(time.DateTime))
	if _, err := l.file.WriteAt([]byte(line), 0); err != nil { // over what is there, so that a reader finds one or the other
		return err
	}
	return l.file.Truncate(int64(len(line)))
}

func readHolder(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer file.Close()
	raw, _ := io.ReadAll(io.LimitReader(file, 512))
	line, _, _ := strings.Cut(string(raw), "\n")
	if line == "" {
		return "another process"
	}
	return line
}

// borrowLock makes a Lock of a file that another process locked and gave us: what is locked is the open file, which both have, so that nobody
// can get between us.
func borrowLock(file *os.File, dir, driverName, instance string) (*Lock, error) {
	l := &Lock{file: file, path: lockPath(dir, driverName, instance), theirs: true}
	mine, err1 := file.Stat()
	there, err2 := os.Lstat(l.path)
	if err1 != nil || err2 != nil || !os.SameFile(mine, there) {
		file.Close()
		return nil, fmt.Errorf("the lock that was handed over is not the file %s", l.path)
	}
	return l, nil
}

// keep makes a borrowed lock ours, lend makes ours the other process's. Of the two who have it, one removes the file in the end.
func (l *Lock) keep(about string) error {
	l.theirs = false
	return l.write(about)
}

func (l *Lock) lend() { l.theirs = true }

// Release unlocks and removes the file, unless another process has it. Safe to repeat and on nil.
func (l *Lock) Release() {
	if l == nil || l.file == nil {
		return
	}
	if !l.theirs {
		os.Remove(l.path) // while it is ours: whoever waits for it finds that it is another file and starts over
	}
	l.file.Close()
	l.file = nil
}
