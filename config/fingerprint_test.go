package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// otherwise is a value that differs from v, of the same type.
func otherwise(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(v.String() + "x")
	case reflect.Int, reflect.Int64:
		out.SetInt(v.Int() + 1)
	case reflect.Float64:
		out.SetFloat(v.Float() + 1)
	case reflect.Bool:
		out.SetBool(!v.Bool())
	case reflect.Slice:
		out.Set(reflect.Append(slicesClone(v), reflect.ValueOf("x=y")))
	case reflect.Pointer:
		out.Set(reflect.New(v.Type().Elem()))
		if !v.IsNil() {
			out.Elem().SetBool(!v.Elem().Bool())
		}
	default:
		panic("no other value of " + v.Type().String())
	}
	return out
}

func slicesClone(v reflect.Value) reflect.Value {
	return reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()+1), v)
}

// valueAt finds what a path such as workers.min means in a struct.
func valueAt(v reflect.Value, path string) reflect.Value {
	for name := range strings.SplitSeq(path, ".") {
		f, _ := lookUp(fields(v.Type()), name)
		v = v.Field(f.index)
	}
	return v
}

func examplePool() Pool {
	p := DefaultPool()
	p.Name, p.Image, p.Capabilities = "p", "img", []string{"b", "a"}
	return p
}

func TestFingerprintChangesWithExactlyWhatMakesAWorker(t *testing.T) {
	makes := []string{
		"image", "command", "port", "env", "capabilities", "concurrency", "security", "user", "read_only", "cap_add", "tmpfs", "shm", "init", "egress",
		"mounts", "devices", "network", "resources.memory", "resources.cpus", "resources.pids", "logs.size", "logs.files",
	}
	for _, l := range leaves(reflect.TypeFor[Pool](), "", true) {
		p := examplePool()
		v := valueAt(reflect.ValueOf(&p).Elem(), l.path)
		v.Set(otherwise(v))
		if changed := p.Fingerprint() != examplePool().Fingerprint(); changed != slices.Contains(makes, l.path) {
			t.Errorf("%s: the fingerprint changed: %v", l.path, changed)
		}
	}
}

func TestFingerprintIsEqualForPoolsThatMeanTheSame(t *testing.T) {
	a, b := examplePool(), examplePool()
	a.Env, b.Env = []string{"A=1", "B=2"}, []string{"B=2", "A=1"}
	a.Capabilities, b.Capabilities = []string{"a", "b"}, []string{"b", "a"}
	a.Security, b.Security = "auto", "standard"
	a.Tmpfs, b.Tmpfs = nil, []string{}
	a.Name, b.Name = "one", "other"
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("the fingerprints differ")
	}
	if !slices.Equal(a.Capabilities, []string{"a", "b"}) || !slices.Equal(b.Env, []string{"B=2", "A=1"}) {
		t.Error("the pools were sorted")
	}
}

func TestFingerprintTellsApartWhatOnlyLooksAlike(t *testing.T) {
	pools := map[string]Pool{}
	for name, change := range map[string]func(*Pool){
		"command":          func(p *Pool) { p.Command = []string{"a", "b"} },
		"turned command":   func(p *Pool) { p.Command = []string{"b", "a"} },
		"joined command":   func(p *Pool) { p.Command = []string{"a b"} },
		"quoted command":   func(p *Pool) { p.Command = []string{`a" "b`} },
		"a line in image":  func(p *Pool) { p.Image = "img\nuser=\"x\"" },
		"user":             func(p *Pool) { p.User = "x" },
		"read_only":        func(p *Pool) { p.ReadOnly = new(true) },
		"not read_only":    func(p *Pool) { p.ReadOnly = new(false) },
		"neither":          func(*Pool) {},
		"init":             func(p *Pool) { p.Init = new(true) },
		"no init":          func(p *Pool) { p.Init = new(false) },
		"not egress":       func(p *Pool) { p.Egress = new(false) },
		"half a core":      func(p *Pool) { p.Resources.CPUs = 0.5 },
		"a bit less":       func(p *Pool) { p.Resources.CPUs = 0.49 },
		"one task more":    func(p *Pool) { p.Concurrency = 2 },
		"another security": func(p *Pool) { p.Security = "strict" },
	} {
		p := examplePool()
		change(&p)
		for other, q := range pools {
			if p.Fingerprint() == q.Fingerprint() {
				t.Errorf("%s and %s have one fingerprint", name, other)
			}
		}
		pools[name] = p
	}
}

// Workers of an earlier version carry its fingerprints: a change here replaces all of them at the next start.
func TestFingerprintsStayWhatTheyAre(t *testing.T) {
	if got, want := Defaults().Pools[0].Fingerprint(), "b5a1d00de8bf9732"; got != want {
		t.Errorf("of the default pool: %s, want %s", got, want)
	}
	p := examplePool()
	p.Command, p.Env, p.ReadOnly, p.Shm, p.Resources.CPUs = []string{"run", "x"}, []string{"B=2", "A=1"}, new(false), 64<<20, 0.5
	if got, want := p.Fingerprint(), "45d81ecddde3ff9a"; got != want {
		t.Errorf("of an image: %s, want %s", got, want)
	}
}
