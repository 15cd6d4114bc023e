package config

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Print writes a configuration as YAML that Load reads, every key with the value in force, in the order of the shipped config.yaml.
// Loading it again gives an equal Config, but for secrets: in place of admin_token, and of the value of each env entry whose name has
// key, token, secret, password, passwd or credential in it, stands ***, so that the output may be shown around. Load refuses *** there.
// A secret in an env entry of another name, or in command, is printed. read_only, init and egress are left out where they are as security says.
func Print(cfg *Config) ([]byte, error) {
	shown := *cfg
	if shown.AdminToken != "" {
		shown.AdminToken = mask
	}
	n, err := structNode(reflect.ValueOf(shown), "")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, fmt.Errorf("the configuration cannot be written as YAML: %w", err)
	}
	return b.Bytes(), enc.Close()
}

// structNode is a struct as a mapping; one that holds only single values fits in a line.
func structNode(v reflect.Value, key string) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if key != "" && key != "pools" {
		n.Style = yaml.FlowStyle
	}
	for _, f := range fields(v.Type()) {
		fv := v.Field(f.index)
		if f.typ.Kind() == reflect.Pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		}
		value, err := valueNode(fv, f.name)
		if err != nil {
			return nil, err
		}
		if p, ok := v.Interface().(Pool); ok && f.name == "security" && p.Security == "auto" {
			value.LineComment = "# " + p.SecurityLevel()
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.name}, value)
	}
	return n, nil
}

func valueNode(v reflect.Value, key string) (*yaml.Node, error) {
	switch value := v.Interface().(type) {
	case Duration:
		return plainNode(durationText(value)), nil
	case Bytes:
		return plainNode(value.String()), nil
	case string:
		return stringNode(value), nil
	case float64:
		return plainNode(strconv.FormatFloat(value, 'f', -1, 64)), nil
	case int, bool:
		return plainNode(fmt.Sprint(value)), nil
	case []string:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, s := range value {
			if key == "env" {
				s = masked(s)
			}
			n.Content = append(n.Content, stringNode(s))
		}
		return n, nil
	}
	if v.Kind() == reflect.Struct {
		return structNode(v, key)
	}
	if !isObjects(v.Type()) {
		return nil, fmt.Errorf("the key %s holds a %s, which cannot be printed", key, v.Type())
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range v.Len() {
		item, err := structNode(v.Index(i), key)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, item)
	}
	return n, nil
}

// plainNode is a value whose text YAML reads as what it is.
func plainNode(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// stringNode quotes all but the simplest texts: a quote too many costs nothing.
func stringNode(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	if simpleText.MatchString(s) {
		n.Style = 0
	}
	return n
}

var (
	simpleText = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./=+-]*$`)
	secretName = regexp.MustCompile(`(?i)key|token|secret|passw(or)?d|credential`)
)

// masked is KEY=value, the value hidden when the name speaks of a secret.
func masked(env string) string {
	name, value, ok := strings.Cut(env, "=")
	if !ok || value == "" || !secretName.MatchString(name) {
		return env
	}
	return name + "=" + mask
}
