package config

import (
	"reflect"
	"slices"
	"strings"
)

// MadeAs is this pool with the workers of other: whatever a worker is made from, how its image gets here, and how it shows that it is ready
// comes from other, all else stays. Neither is changed.
func (p Pool) MadeAs(other Pool) Pool {
	out := p
	to, from := reflect.ValueOf(&out).Elem(), reflect.ValueOf(other)
	for _, f := range fields(to.Type()) {
		if ofWorkers(f.name) {
			to.Field(f.index).Set(from.Field(f.index))
		}
	}
	return out
}

// ofWorkers tells whether a key of a pool, or any below it, belongs to its workers.
func ofWorkers(key string) bool {
	return key == "pull" || key == "ready" || slices.ContainsFunc(workerKeys(), func(k string) bool {
		return k == key || strings.HasPrefix(k, key+".")
	})
}
