package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder turns a tree into maps of typed values, and everything in it that has no place in the structs into problems.
type decoder struct {
	*report
	from func(*yaml.Node) origin
}

// object decodes a mapping into what it gives of the struct t.
func (d decoder) object(n *yaml.Node, t reflect.Type, path string) map[string]any {
	out := map[string]any{}
	known := fields(t)
	for _, e := range d.entries(n, path, 0) {
		key := join(path, e.name)
		f, ok := lookUp(known, e.name)
		if !ok {
			d.unknown(e, t, join(path, word(e.name)))
			continue
		}
		d.origins[key] = d.from(&yaml.Node{Line: e.line})
		if v, ok := d.value(e.value, f.typ, key); ok {
			out[f.name] = v
		}
	}
	return out
}

func lookUp(known []field, name string) (field, bool) {
	for _, f := range known {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func (d decoder) unknown(e entry, t reflect.Type, key string) {
	wrong := fmt.Sprintf("is not a known key; the nearest is %s", nearest(e.name, t))
	if lower := strings.ToLower(e.name); lower != e.name {
		if _, ok := lookUp(fields(t), lower); ok {
			wrong = fmt.Sprintf("is not a known key; keys are in lower case: %s", lower)
		}
	}
	d.failAt(d.from(&yaml.Node{Line: e.line}), key, wrong, "")
}

// value decodes what one key holds. ok is false when it holds nothing, which is as good as not being there, or nothing right.
func (d decoder) value(n *yaml.Node, t reflect.Type, key string) (v any, ok bool) {
	n = content(n)
	switch {
	case n.ShortTag() == "!!null":
		return nil, false
	case t.Kind() == reflect.Struct:
		if n.Kind != yaml.MappingNode {
			d.fail(key, text(n), "is not a mapping", "keys below it: "+names(t))
			return nil, false
		}
		return d.object(n, t, key), true
	case t.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.fail(key, text(n), "is not a list", "a list, such as [a, b]")
			return nil, false
		}
		if isObjects(t) {
			return d.objects(n, t.Elem(), key), true
		}
		return d.list(n, key), true
	default:
		return d.scalar(n, t, key)
	}
}

func (d decoder) scalar(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	if n.Kind != yaml.ScalarNode || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") || n.ShortTag() == "!!binary" {
		_, _, legal := scalar(t, "")
		if legal == "" {
			legal = "one text"
		}
		d.fail(key, text(n), "is not a single value", legal)
		return nil, false
	}
	v, wrong, legal := scalar(t, n.Value)
	if wrong != "" {
		d.fail(key, n.Value, wrong, legal)
		return nil, false
	}
	return v, true
}

// list decodes a list of texts. An empty one is nil, so that two configurations that mean the same are equal.
func (d decoder) list(n *yaml.Node, key string) []string {
	var list []string
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", key, i)
		d.origins[at] = d.from(item)
		if item = content(item); item.ShortTag() == "!!null" {
			d.fail(at, nil, "is empty", "a text; quote it when it is meant to be empty")
			continue
		}
		if v, ok := d.scalar(item, reflect.TypeFor[string](), at); ok {
			list = append(list, v.(string))
		}
	}
	return list
}

// mostPools bounds what one file can ask for.
const mostPools = 256

// objects decodes a list of mappings, each completed with what a pool that does not say has.
func (d decoder) objects(n *yaml.Node, t reflect.Type, key string) []any {
	if len(n.Content) > mostPools {
		d.fail(key, len(n.Content), "are too many", fmt.Sprintf("1 to %d", mostPools))
		return nil
	}
	list := make([]any, 0, len(n.Content))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", key, i)
		d.origins[at] = d.from(item)
		given := map[string]any{}
		if item = content(item); item.Kind == yaml.MappingNode {
			given = d.object(item, t, at)
		} else {
			d.fail(at, text(item), "is not a mapping", "keys below it: "+names(t))
		}
		list = append(list, complete(given))
	}
	return list
}

// text is what a problem shows of a node: a single value, or nothing.
func text(n *yaml.Node) any {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return n.Value
	}
	return nil
}

// names lists the keys of a struct.
func names(t reflect.Type) string {
	var list []string
	for _, f := range fields(t) {
		list = append(list, f.name)
	}
	return strings.Join(list, ", ")
}
