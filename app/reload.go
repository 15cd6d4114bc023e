package app

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"understudy/config"
	"understudy/logs"
)

// current is the configuration in force.
func (a *App) current() *config.Config {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.Config
}

// watchConfig reloads on SIGHUP and when the file has changed.
func (a *App) watchConfig(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	changed := make(chan struct{}, 1)
	if a.Watcher != nil {
		watched := make(chan struct{})
		defer func() { <-watched }()
		go func() {
			defer close(watched)
			a.Watcher.Run(ctx, func() {
				select {
				case changed <- struct{}{}:
				default:
				}
			})
		}()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if a.Watcher != nil {
				a.Watcher.Loading()
			}
		case <-changed:
		}
		a.Reload(ctx)
	}
}

// Reload reads the configuration again and puts in force what can change while the balancer runs: targets, limits, bounds, and what workers
// are made from, whose replacement begins. A configuration
// with a mistake is refused whole, and the one before stays in force. It reports whether the new one was taken.
func (a *App) Reload(ctx context.Context) bool {
	next, err := config.Load(a.Source)
	a.metrics.SetReload(err == nil)
	if err != nil {
		a.Log.Error("the new configuration is refused, the old one stays in force", slog.Any("error", err))
		return false
	}
	old := a.current()
	diff := config.Changes(old, next)
	merged := inForce(old, next)
	a.mu.Lock()
	a.Config = merged
	a.mu.Unlock()
	for _, p := range fleetPools(merged) {
		a.fleet.Update(p)
	}
	a.metrics.SetTargets(targets(merged))
	a.balancer.SetConfig(merged)
	a.renewCertificate()
	a.startGroupGuard()
	a.scaler.Reload(ctx, merged)
	a.relog(merged.Log)
	a.Log.Info("configuration reloaded", slog.String("changes", diff.String()))
	if later := needRestart(diff); later != "" {
		a.Log.Warn("in force only after a restart", slog.String("what", later))
	}
	return true
}

// relog puts in force how much is logged.
func (a *App) relog(c config.Log) {
	a.Access.SetFormat(logs.FormatOf(c.Access))
	if level, err := logs.Level(c.Level); err == nil && a.Level != nil { // it has been checked
		a.Level.Set(level)
	}
}

// inForce is what of a new configuration a running balancer obeys: everything but addresses, identity and which pools there are and what
// they can do. Workers made from what is no longer wanted are replaced by the scaler, one by one.
func inForce(old, next *config.Config) *config.Config {
	merged := config.InForce(old, next)
	var pools []config.Pool
	for _, was := range old.Pools {
		i := slices.IndexFunc(merged.Pools, func(p config.Pool) bool { return p.Name == was.Name })
		if i < 0 {
			pools = append(pools, was)
			continue
		}
		p := merged.Pools[i]
		p.Capabilities, p.Members = was.Capabilities, was.Members
		pools = append(pools, p)
	}
	merged.Pools = pools
	return merged
}

// needRestart names what inForce left as it was.
func needRestart(d config.Diff) string {
	later := slices.Clone(d.Restart)
	for _, name := range d.Added {
		later = append(later, "new pool "+name)
	}
	for _, name := range d.Removed {
		later = append(later, "removal of pool "+name)
	}
	for _, c := range d.Changed {
		for _, key := range slices.Concat(c.Restart, c.Workers, c.Limits) {
			if slices.Contains([]string{"pick", "capabilities", "members"}, key) {
				later = append(later, "pool "+c.Name+": "+key)
			}
		}
	}
	return strings.Join(later, ", ")
}
