//go:build !linux

package process

// began cannot be told here without the help of other programs.
func began(int) uint64 { return 0 }
