package config

import (
	"reflect"
	"strings"
)

// The structs are the schema: what they have no field for, a file may not say.

// field is one key that a struct can hold.
type field struct {
	name  string
	index int
	typ   reflect.Type
}

// fields lists the keys of a struct in the order of its fields.
func fields(t reflect.Type) []field {
	list := make([]field, t.NumField())
	for i := range list {
		f := t.Field(i)
		list[i] = field{f.Tag.Get("mapstructure"), i, f.Type}
	}
	return list
}

// leaf is one key that holds a value of its own, named from the top: ports.from.
type leaf struct {
	path string
	typ  reflect.Type
}

// leaves lists the values of a struct and of the structs in it. Lists of structs, the pools, come as one with [] where their index
// would be when deep is set, and not at all otherwise.
func leaves(t reflect.Type, path string, deep bool) []leaf {
	var list []leaf
	for _, f := range fields(t) {
		at := join(path, f.name)
		switch {
		case f.typ.Kind() == reflect.Struct:
			list = append(list, leaves(f.typ, at, deep)...)
		case isObjects(f.typ):
			if deep {
				list = append(list, leaves(f.typ.Elem(), at+"[]", deep)...)
			}
		default:
			list = append(list, leaf{at, f.typ})
		}
	}
	return list
}

// isObjects tells whether t is a list of structs.
func isObjects(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

// toMap turns a struct into the map a file with all its keys would give. Absent booleans stay absent.
func toMap(v reflect.Value) map[string]any {
	out := map[string]any{}
	for _, f := range fields(v.Type()) {
		fv := v.Field(f.index)
		switch {
		case f.typ.Kind() == reflect.Struct:
			out[f.name] = toMap(fv)
		case isObjects(f.typ):
			list := make([]any, fv.Len())
			for i := range list {
				list[i] = toMap(fv.Index(i))
			}
			out[f.name] = list
		case f.typ.Kind() == reflect.Pointer:
			if !fv.IsNil() {
				out[f.name] = fv.Elem().Interface()
			}
		default:
			out[f.name] = fv.Interface()
		}
	}
	return out
}

// overlay lays what was given over the defaults, map by map.
func overlay(defaults, given map[string]any) {
	for k, v := range given {
		into, isMap := defaults[k].(map[string]any)
		if m, ok := v.(map[string]any); ok && isMap {
			overlay(into, m)
			continue
		}
		defaults[k] = v
	}
}

// nearest finds the known key that a wrong one was probably meant to be: beside it, or, when it is below another key, with the
// whole path to it from there. Equal distances: the first in the order of the structs, those beside it before those below.
func nearest(name string, t reflect.Type) string {
	const longest = 32 // the longest key there is is shorter; more letters only cost time
	name = strings.ToLower(name[:min(len(name), longest)])
	best, least := "", -1
	consider := func(key, by string) {
		if d := distance(name, by); least < 0 || d < least {
			best, least = key, d
		}
	}
	for _, f := range fields(t) {
		consider(f.name, f.name)
	}
	for _, l := range leaves(t, "", true) {
		consider(l.path, l.path)
		consider(l.path, l.path[strings.LastIndex(l.path, ".")+1:])
	}
	return best
}

// distance is the Levenshtein distance: the fewest letters to insert, delete or replace that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
