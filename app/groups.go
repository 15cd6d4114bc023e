package app

import (
	"log/slog"
	"sync"

	"understudy/driver/process"
)

// Workers that are local processes are nobody's once their balancer has been killed: no successor can adopt them, and what they have started
// would hold their ports. So their guard waits for nobody. It is told of every process group that begins and of every one that is over, and when
// the pipe ends without a bye it kills what is on its list, and what has the balancer's mark. This is the balancer's end of the pipe; guardgroups.go is the other.

// groups are the process groups there are, and their guard.
type groups struct {
	mark  process.Mark
	guard *guard // nil: none

	mu    sync.Mutex
	there map[int]process.Group // guarded by mu
	told  *guardian             // guarded by mu: who is told of them; nil: nobody just now
}

func newGroups() *groups {
	return &groups{mark: process.NewMark(newToken()), there: map[int]process.Group{}}
}

// startGroupGuard runs the guard of local processes, unless there is one. It is called before there can be any: at the start, and where a
// configuration is reloaded that may have the first pool with workers of ours.
func (a *App) startGroupGuard() {
	cfg := a.current()
	if a.groups.guard != nil || cfg.Guard <= 0 || a.driver.Name() != "process" || a.Options.Driver != nil || !scales(cfg) {
		return
	}
	instance := cfg.Instance
	a.groups.keep(a.Log, func() (*guardian, error) { return runGuardian(GuardGroupsCommand, "--instance", instance) })
}

// keep has a guard from now on, and each that takes another's place is told what that one knew.
func (g *groups) keep(log *slog.Logger, run func() (*guardian, error)) {
	const lack = "should this process be killed, what its workers have started goes on and holds their ports"
	g.guard = keepGuard(log, lack, func() (*guardian, error) {
		one, err := run()
		if err == nil {
			g.brief(one)
		}
		return one, err
	})
}

// brief tells a new guard of all groups there are.
func (g *groups) brief(one *guardian) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = one
	g.tell(markLine(g.mark))
	for _, group := range g.there {
		g.tell(groupLine(wordBegun, group))
	}
}

// Begun implements process.Groups.
func (g *groups) Begun(group process.Group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.there[group.ID] = group
	g.tell(groupLine(wordBegun, group))
}

// Over implements process.Groups. Between the end of a group and this a guard would look for it in vain, or find a stranger and leave it alone.
func (g *groups) Over(group process.Group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	forget(g.there, group)
	g.tell(groupLine(wordOver, group))
}

// tell has the guard know one thing more. One that does not hear it is of no use: it is killed if it lives, and the next one is told everything.
// Called with mu held, which keeps what is said in order.
func (g *groups) tell(line string) {
	if g.told == nil {
		return
	}
	if err := g.told.say(line); err != nil {
		g.told.kill()
		g.told = nil
	}
}
