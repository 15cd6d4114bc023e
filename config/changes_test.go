package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestNothingChanged(t *testing.T) {
	d := Changes(Defaults(), Defaults())
	if !d.Empty() || d.String() != "nothing changed" {
		t.Errorf("got %+v, %q", d, d)
	}
}

func TestEveryKeyOutsidePoolsIsLiveOrNeedsARestart(t *testing.T) {
	restart := []string{
		"listen", "admin", "admin_token", "pprof", "planner.listen", "planner.allow", "driver", "instance", "publish", "ports.from", "ports.to",
		"limits.header", "limits.idle", "limits.connections", "limits.per_client.connections", "log.format",
	}
	for _, l := range leaves(reflect.TypeFor[Config](), "", false) {
		c := Defaults()
		v := valueAt(reflect.ValueOf(c).Elem(), l.path)
		v.Set(otherwise(v))
		d := Changes(Defaults(), c)
		want := Diff{Live: []string{l.path}}
		if slices.Contains(restart, l.path) {
			want = Diff{Restart: []string{l.path}}
		}
		if !reflect.DeepEqual(d, want) || d.Empty() {
			t.Errorf("%s: got %+v, want %+v", l.path, d, want)
		}
		inForce := InForce(Defaults(), c)
		if got := Changes(Defaults(), inForce); len(got.Restart) > 0 || !slices.Equal(got.Live, d.Live) {
			t.Errorf("%s: in force are %+v", l.path, got)
		}
	}
}

func TestEveryKeyOfAPoolIsALimitOrMakesAWorkerOrNeedsARestart(t *testing.T) {
	old := Defaults()
	for _, l := range leaves(reflect.TypeFor[Pool](), "", true) {
		c := Defaults()
		v := valueAt(reflect.ValueOf(&c.Pools[0]).Elem(), l.path)
		v.Set(otherwise(v))
		d := Changes(old, c)
		if l.path == "name" {
			if want := (Diff{Added: []string{"generalx"}, Removed: []string{"general"}}); !reflect.DeepEqual(d, want) {
				t.Errorf("name: got %+v, want %+v", d, want)
			}
			continue
		}
		if len(d.Changed) != 1 || d.Changed[0].Name != "general" {
			t.Errorf("%s: got %+v", l.path, d)
			continue
		}
		got := d.Changed[0]
		roll := c.Pools[0].Fingerprint() != old.Pools[0].Fingerprint()
		if slices.Contains(got.Workers, l.path) && !roll || len(got.Workers) > 0 != roll {
			t.Errorf("%s: new workers for %v, but the fingerprint changed: %v", l.path, got.Workers, roll)
		}
		if all := slices.Concat(got.Limits, got.Workers, got.Restart); !slices.Contains(all, l.path) {
			t.Errorf("%s: only %v", l.path, all)
		}
		if slices.Contains(got.Restart, l.path) != (l.path == "pick") {
			t.Errorf("%s: a restart for %v", l.path, got.Restart)
		}
	}
}

func TestChangesOfManyKinds(t *testing.T) {
	old := load(t, `
pools:
  - {name: a, image: x, capabilities: [a], env: [A=1, B=2]}
  - {name: b, image: x, capabilities: [b]}
  - {name: gone, image: x, capabilities: [c]}
`)
	new := load(t, `
listen: 127.0.0.1:9000
on_exit: leave
pools:
  - {name: b, image: y, capabilities: [b], target: {latency: 1s}, pick: fastest}
  - {name: fresh, image: x, capabilities: [d]}
  - {name: a, image: x, capabilities: [a], env: [B=2, A=1], queue: {length: 5}}
`)
	d := Changes(old, new)
	want := Diff{
		Live: []string{"on_exit"}, Restart: []string{"listen"}, Added: []string{"fresh"}, Removed: []string{"gone"}, Reordered: true,
		Changed: []PoolChange{
			{Name: "b", Limits: []string{"target.latency"}, Workers: []string{"image"}, Restart: []string{"pick"}},
			{Name: "a", Limits: []string{"queue.length"}},
		},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}
	const line = "on_exit changed; to change listen takes a restart; new pools: fresh; pools gone: gone; " +
		"pool b: target.latency changed; pool b: image changed, so its workers are replaced; pool b: to change pick takes a restart; " +
		"pool a: queue.length changed; the pools are in another order"
	if d.String() != line {
		t.Errorf("got  %s\nwant %s", d, line)
	}
	inForce := InForce(old, new)
	if inForce.Listen != old.Listen || inForce.OnExit != "leave" || inForce.Pools[0].Pick != "round-robin" || new.Pools[0].Pick != "fastest" {
		t.Errorf("in force: %+v; new: %+v", inForce, new)
	}
}

func TestADiffNeverShowsValues(t *testing.T) {
	old, new := Defaults(), Defaults()
	new.AdminToken, new.Pools[0].Env = "hush", []string{"A=hush"}
	if s := Changes(old, new).String(); strings.Contains(s, "hush") || !strings.Contains(s, "admin_token") || !strings.Contains(s, "env") {
		t.Error(s)
	}
}
