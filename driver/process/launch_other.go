//go:build !linux

package process

// launcher starts children. Only on Linux does the kernel end them with their parent.
type launcher struct{}

func newLauncher() launcher { return launcher{} }

func (launcher) do(start func() error) error { return start() }

func (launcher) close() {}
