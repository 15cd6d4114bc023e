package process

// Group is the process group of one worker: its number, which is that of the process that leads it, and when that one began. Numbers are given
// again, and the two together are not.
type Group struct {
	ID    int
	Began uint64 // in the kernel's ticks since the machine was started; 0: it cannot be told
}

// Groups is told which process groups there are, for somebody who ends them should this process be killed. It is called from several goroutines
// at a time, and starts wait for it.
type Groups interface {
	// Begun tells of a group as soon as there is one.
	Begun(Group)
	// Over tells of a group that has been killed. Its number may be another's from now on.
	Over(Group)
}

// unheard is for those who want no Groups.
type unheard struct{}

func (unheard) Begun(Group) {}
func (unheard) Over(Group)  {}

// groupOf is the group that a child leads. The child may have ended, but must not have been waited for.
func groupOf(pid int) Group { return Group{ID: pid, Began: began(pid)} }
