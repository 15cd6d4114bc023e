package app

import (
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Child is the process that is to take our place.
type Child interface {
	Pid() int
	Ended() <-chan struct{} // closed once it has ended
	State() string          // how it ended; only then
	Kill()
}

// Spawner starts that process. It gets the files under these names, and copies them: they remain the caller's.
type Spawner func(names []string, files []*os.File) (Child, error)

// Spawn starts this program anew, as it is on the disk now, with the same arguments and environment.
func Spawn(names []string, files []*os.File) (Child, error) {
	path, err := exec.LookPath(os.Args[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, os.Args[1:]...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LISTEN_") })
	cmd.Env = append(cmd.Env, handoverEnv+"="+strings.Join(names, ","))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = files
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // State tells
		close(c.ended)
	}()
	return c, nil
}

type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func (c *child) Pid() int               { return c.cmd.Process.Pid }
func (c *child) Ended() <-chan struct{} { return c.ended }
func (c *child) State() string          { return c.cmd.ProcessState.String() }
func (c *child) Kill()                  { _ = c.cmd.Process.Kill() } // fails when it has ended
