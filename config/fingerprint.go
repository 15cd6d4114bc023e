package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// workerKeys are the keys of a pool that a worker is made from: when one changes, workers that run are not what is asked for any more.
// All others only say how the balancer treats workers, and so does pull, which says how an image gets here and not which.
func workerKeys() []string {
	return []string{
		"image", "command", "port", "env", "capabilities", "concurrency",
		"security", "user", "read_only", "cap_add", "tmpfs", "shm", "init", "egress", "mounts", "devices", "network",
		"resources.memory", "resources.cpus", "resources.pids", "logs.size", "logs.files",
	}
}

// Fingerprint is equal for two pools whose workers are made alike: a hash of image, command, port, env, capabilities, concurrency,
// the security level and each key that overrides it, resources and logs, as 16 hexadecimal digits. The order of a list does not matter, but
// that of command does. A key that is not set adds nothing, so that a later version with more keys has the same fingerprints.
// What the file cannot know, such as the version of the worker inside this binary, is not in it.
func (p Pool) Fingerprint() string {
	values := canonical(p)
	h := sha256.New()
	for _, key := range workerKeys() {
		switch v := values[key].(type) { // Hash.Write never fails
		case bool: // there only when it is set: false is not "not set"
			fmt.Fprintf(h, "%s=%t\n", key, v)
		case int, Bytes:
			if !reflect.ValueOf(v).IsZero() {
				fmt.Fprintf(h, "%s=%d\n", key, v)
			}
		case float64:
			if v != 0 {
				fmt.Fprintf(h, "%s=%g\n", key, v)
			}
		case string:
			if v != "" {
				fmt.Fprintf(h, "%s=%q\n", key, v) // quoted, it cannot look like the next key
			}
		case []string:
			if len(v) > 0 {
				fmt.Fprintf(h, "%s=%q\n", key, v)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// canonical gives the values of a pool by key, equal for pools that mean the same: lists whose order says nothing sorted, empty ones
// nil, security resolved.
func canonical(p Pool) map[string]any {
	values := flat(toMap(reflect.ValueOf(p)))
	values["security"] = p.SecurityLevel()
	// These had their defaults before there was a key for them; workers from then are still what is asked for.
	if p.Logs == DefaultPool().Logs {
		delete(values, "logs.size")
		delete(values, "logs.files")
	}
	if len(p.Command) > 0 {
		values["command"] = p.Command
	}
	return values
}

// flat turns maps within maps into one with paths for keys, lists sorted, empty ones nil. Lists of structs are left out.
func flat(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		switch v := v.(type) {
		case map[string]any:
			for inner, v := range flat(v) {
				out[join(k, inner)] = v
			}
		case []string:
			sorted := slices.Clone(v)
			slices.Sort(sorted)
			out[k] = slices.Clip(sorted)
			if len(sorted) == 0 {
				out[k] = []string(nil)
			}
		case []any:
		default:
			out[k] = v
		}
	}
	return out
}

// changedKeys lists the keys whose values differ, sorted.
func changedKeys(a, b map[string]any) []string {
	var keys []string
	for k := range a {
		if other, ok := b[k]; !ok || !reflect.DeepEqual(a[k], other) {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// split parts keys into those in a set and the others.
func split(keys []string, set []string) (in, out []string) {
	for _, k := range keys {
		if slices.Contains(set, k) {
			in = append(in, k)
		} else {
			out = append(out, k)
		}
	}
	return in, out
}

func list(keys []string) string { return strings.Join(keys, ", ") }
