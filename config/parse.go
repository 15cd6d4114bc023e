package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mostBytes is what a configuration file may have. It keeps a wrong path, to a log or a device, from filling the memory.
const mostBytes = 1 << 20

// parse turns the text of a file into a tree whose nodes know their lines and their text as written: what a typed decode throws away
// (the letter case of keys, the second of two equal keys, the zeros in front of a token) is needed to judge the file.
// It returns nil when there is nothing to decode, having reported why if that is a mistake.
func parse(text []byte, name string, r *report) *yaml.Node {
	fail := func(line int, wrong, legal string) *yaml.Node {
		r.fatal = true
		r.failAt(at(name, line), "", wrong, legal)
		return nil
	}
	switch {
	case len(text) > mostBytes:
		return fail(0, "has more than 1 MiB", "a YAML file of at most 1 MiB")
	case len(bytes.TrimSpace(text)) == 0:
		// Taken for "all defaults", a file caught between being emptied and being written would reconfigure a running balancer.
		return fail(0, "is empty", "a YAML file; to run with the defaults, name no file")
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF): // nothing but comments
		return nil
	case err != nil:
		line, wrong := syntaxError(err)
		return fail(line, wrong, "")
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return fail(more.Line, "has a second document", "one YAML document in the file")
	}
	return doc.Content[0]
}

// syntaxError makes a place and a sentence of what the YAML library says: "yaml: line 3: did not find expected key".
func syntaxError(err error) (line int, wrong string) {
	m := yamlError.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, fmt.Sprintf("is not YAML (%v)", err)
	}
	line, _ = strconv.Atoi(m[1]) // no line: 0
	return line, fmt.Sprintf("is not YAML (%s)", strings.TrimSpace(m[2]))
}

var yamlError = regexp.MustCompile(`(?s)^yaml: (?:line ([0-9]+): )?(.*)$`)

// at names a line of a file; line 0 is the file as a whole.
func at(name string, line int) origin {
	if line == 0 {
		return origin{where: name}
	}
	return origin{where: fmt.Sprintf("%s:%d", name, line), line: line}
}

// entry is one key of a mapping with its value.
type entry struct {
	name  string
	line  int
	value *yaml.Node
}

// mostMerges bounds << within <<, since a mapping may merge itself, and the mappings in one <<.
const mostMerges = 8

// entries lists what a mapping says, << included: a key of its own wins over a merged one, an earlier merge over a later one.
func (d decoder) entries(n *yaml.Node, path string, depth int) []entry {
	var own, merged []entry
	seen := map[string]int{} // name -> line
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			d.failAt(d.from(k), path, "has a key that is not a word", "")
		case seen[k.Value] > 0:
			d.failAt(d.from(k), join(path, word(k.Value)), fmt.Sprintf("is given twice, first in line %d", seen[k.Value]), "")
		case k.ShortTag() == "!!merge":
			seen[k.Value] = k.Line
			merged = d.merge(v, path, depth+1)
		default:
			seen[k.Value] = k.Line
			own = append(own, entry{k.Value, k.Line, v})
		}
	}
	for _, e := range merged {
		if _, ok := seen[e.name]; !ok {
			seen[e.name] = e.line
			own = append(own, e)
		}
	}
	return own
}

// merge lists what a << brings: the keys of one mapping, or of each in a list. Those of an earlier one come first and win.
func (d decoder) merge(n *yaml.Node, path string, depth int) []entry {
	all := []*yaml.Node{n}
	if v := content(n); v.Kind == yaml.SequenceNode {
		all = v.Content
	}
	if depth > mostMerges || len(all) > mostMerges {
		d.failAt(d.from(n), path, "merges (<<) too much", fmt.Sprintf("at most %d mappings, and as many within each other", mostMerges))
		return nil
	}
	var merged []entry
	for _, m := range all {
		if m = content(m); m.Kind != yaml.MappingNode {
			d.failAt(d.from(m), path, "merges (<<) something that has no keys", "a mapping, or a list of mappings")
			continue
		}
		merged = append(merged, d.entries(m, path, depth)...)
	}
	return merged
}

// content is what an alias stands for.
func content(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// word is a key as a problem names it: as written when it looks like one, else quoted and short.
func word(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	return show(name)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,60}$`)

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
