package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func shipped(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestShippedFileGivesTheDefaultsInCode(t *testing.T) {
	got := load(t, shipped(t))
	if !reflect.DeepEqual(got, Defaults()) {
		t.Errorf("config.yaml gives\n%+v\nthe code\n%+v", got, Defaults())
	}
	if got, err := Load(Source{}); err != nil || !reflect.DeepEqual(got, Defaults()) {
		t.Errorf("no source at all gives %+v, %v", got, err)
	}
}

// A value left out of config.yaml would pass the test above, so what it says is checked key by key.
func TestShippedFileSaysEveryValueItself(t *testing.T) {
	root := parse([]byte(shipped(t)), "config.yaml", newReport())
	d := decoder{newReport(), nil}
	d.from = func(n *yaml.Node) origin { return at("config.yaml", n.Line) }
	d.object(root, reflect.TypeFor[Config](), "")
	for _, l := range leaves(reflect.TypeFor[Config](), "", true) {
		key := strings.ReplaceAll(l.path, "[]", "[0]")
		_, said := d.origins[key]
		if commented := optional[l.path]; said == commented {
			t.Errorf("%s: said in config.yaml is %v, want %v", l.path, said, !commented)
		}
	}
}

// optional are the keys that config.yaml shows commented out, because unset is not the same as any value, or members, which the
// first pool has none of.
var optional = map[string]bool{
	"pools[].members": true, "pools[].user": true, "pools[].read_only": true, "pools[].cap_add": true, "pools[].tmpfs": true, "pools[].shm": true, "pools[].init": true,
	"pools[].egress": true, "pools[].mounts": true, "pools[].devices": true, "pools[].network": true,
}

func TestEveryKeyOfTheStructsOccursInTheShippedFile(t *testing.T) {
	text := shipped(t)
	for _, l := range leaves(reflect.TypeFor[Config](), "", true) {
		key := l.path[strings.LastIndex(l.path, ".")+1:]
		if !regexp.MustCompile(`(?m)(^#?\s*(- )?|[{,]\s*)` + key + `: `).MatchString(text) {
			t.Errorf("config.yaml does not have the key %s", l.path)
		}
	}
}

// uncommented is the shipped file with its commented-out keys and examples in force: below pools, lines that begin with # in the
// first column and an indented key behind it.
func uncommented(t *testing.T) string {
	top, pools, ok := strings.Cut(shipped(t), "\npools:\n")
	if !ok {
		t.Fatal("config.yaml has no pools")
	}
	return top + "\npools:\n" + regexp.MustCompile(`(?m)^#( - | {3})([a-z_]+: )`).ReplaceAllString(pools, " $1$2")
}

func TestExamplesInTheShippedFileWorkAsTheyStand(t *testing.T) {
	cfg := load(t, uncommented(t))
	var names []string
	for _, p := range cfg.Pools {
		names = append(names, p.Name)
	}
	if want := []string{"general", "pdf", "web", "legacy"}; !reflect.DeepEqual(names, want) {
		t.Errorf("pools are %v, want %v", names, want)
	}
	for key := range optional {
		name := strings.TrimPrefix(key, "pools[].")
		f, ok := lookUp(fields(reflect.TypeFor[Pool]()), name)
		owner := cfg.Pools[0]
		if name == "members" {
			owner = cfg.Pools[3]
		}
		if !ok || reflect.ValueOf(owner).Field(f.index).IsZero() {
			t.Errorf("the example of %s is not in force", name)
		}
	}
}

func TestAPoolWithNameImageAndCapabilitiesIsComplete(t *testing.T) {
	p := load(t, "pools: [{name: a, image: b, capabilities: [c]}]").Pools[0]
	want := DefaultPool()
	want.Name, want.Image, want.Capabilities = "a", "b", []string{"c"}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

func TestDefaultsThatFollowFromWhatThePoolSays(t *testing.T) {
	cases := []struct {
		name, pool   string
		capabilities []string
		workers      Workers
	}{
		{"the built-in worker does mult and add", "name: a", []string{"mult", "add"}, Workers{1, 8, 1, 1, SpareRunning}},
		{"members alone are not scaled", "name: a, capabilities: [x], members: ['http://h:1']", []string{"x"}, Workers{SpareMode: SpareRunning}},
		{"members beside an image are", "name: a, image: i, capabilities: [x], members: ['http://h:1']", []string{"x"}, Workers{1, 8, 1, 1, SpareRunning}},
		{"members beside a command are", "name: a, command: [i], capabilities: [x], members: ['http://h:1']", []string{"x"}, Workers{1, 8, 1, 1, SpareRunning}},
		{"max 0 is all 0", "name: a, workers: {max: 0}", []string{"mult", "add"}, Workers{SpareMode: SpareRunning}},
		{"spare_max follows spare", "name: a, workers: {spare: 3}", []string{"mult", "add"}, Workers{1, 8, 3, 3, SpareRunning}},
		{"spare_max follows spare to 0", "name: a, workers: {spare: 0}", []string{"mult", "add"}, Workers{1, 8, 0, 0, SpareRunning}},
		{"spare_max of its own", "name: a, workers: {spare_max: 4}", []string{"mult", "add"}, Workers{1, 8, 1, 4, SpareRunning}},
		{"a key without a value is not said", "name: a, capabilities: , workers: {min: , max: ~}", []string{"mult", "add"}, Workers{1, 8, 1, 1, SpareRunning}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := load(t, "pools: [{"+c.pool+"}]").Pools[0]
			if !reflect.DeepEqual(p.Capabilities, c.capabilities) || p.Workers != c.workers {
				t.Errorf("got %v %+v, want %v %+v", p.Capabilities, p.Workers, c.capabilities, c.workers)
			}
		})
	}
}
