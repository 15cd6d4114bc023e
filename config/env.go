package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// prefix begins the name of every environment variable that is a key.
const prefix = "UNDERSTUDY_"

// EnvName is the environment variable that stands for a key outside pools: ports.from is UNDERSTUDY_PORTS_FROM.
func EnvName(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// loadEnv yields what the environment gives. Variables that only look like ours are left alone: workers have some too.
func loadEnv(env []string, r *report) map[string]any {
	vars := map[string]string{}
	for _, e := range env {
		if name, value, _ := strings.Cut(e, "="); value != "" && strings.HasPrefix(name, prefix) {
			vars[name] = value
		}
	}
	out := map[string]any{}
	for _, l := range leaves(reflect.TypeFor[Config](), "", false) {
		name := EnvName(l.path)
		value, ok := vars[name]
		if !ok {
			continue
		}
		if v, ok := outside(r, l, origin{where: "$" + name}, value); ok {
			put(out, l.path, v)
		}
	}
	return out
}

// loadFlags yields what flags give, by path.
func loadFlags(overrides map[string]any, r *report) map[string]any {
	out := map[string]any{}
	known := leaves(reflect.TypeFor[Config](), "", false)
	for _, key := range slices.Sorted(maps.Keys(overrides)) {
		from := origin{where: "--" + strings.NewReplacer("_", "-", ".", "-").Replace(key)}
		i := slices.IndexFunc(known, func(l leaf) bool { return l.path == key })
		if i < 0 {
			wrong := fmt.Sprintf("is not a key that a flag can set; the nearest is %s", nearest(key, reflect.TypeFor[Config]()))
			r.failAt(from, key, wrong, "")
			continue
		}
		if v, ok := outside(r, known[i], from, overrides[key]); ok {
			out[key] = v
		}
	}
	return out
}

// outside decodes a value that did not come from a file as if it had been written there. A text where a list is wanted is its items
// with commas between.
func outside(r *report, l leaf, from origin, value any) (any, bool) {
	if value == nil {
		return nil, false
	}
	items, isList := value.([]string)
	if l.typ.Kind() == reflect.Slice && !isList {
		items = strings.FieldsFunc(fmt.Sprint(value), func(c rune) bool { return c == ',' || c == ' ' })
	}
	n := textNode(fmt.Sprint(value))
	if l.typ.Kind() == reflect.Slice || isList {
		n = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range items {
			n.Content = append(n.Content, textNode(item))
		}
	}
	// A report of its own: a problem the file has with this key must not hide one that is here.
	r.origins[l.path] = from
	maps.DeleteFunc(r.origins, func(key string, _ origin) bool { return within(key, l.path) })
	d := decoder{&report{origins: map[string]origin{l.path: from}}, func(*yaml.Node) origin { return from }}
	v, ok := d.value(n, l.typ, l.path)
	for _, p := range d.problems {
		r.add(from, p)
	}
	return v, ok && len(d.problems) == 0
}

func textNode(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

// put sets a value at a path, ports.from, making the maps on the way.
func put(m map[string]any, path string, v any) {
	key, rest, nested := strings.Cut(path, ".")
	if !nested {
		m[key] = v
		return
	}
	inner, ok := m[key].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[key] = inner
	}
	put(inner, rest, v)
}
