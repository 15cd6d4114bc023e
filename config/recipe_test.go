package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestMadeAsTakesExactlyWhatBelongsToTheWorkers(t *testing.T) {
	for _, l := range leaves(reflect.TypeFor[Pool](), "", true) {
		mine, theirs := examplePool(), examplePool()
		v := valueAt(reflect.ValueOf(&theirs).Elem(), l.path)
		v.Set(otherwise(v))
		made := mine.MadeAs(theirs)
		want := mine
		if top, _, _ := strings.Cut(l.path, "."); ofWorkers(top) {
			want = theirs
		}
		if !reflect.DeepEqual(made, want) {
			t.Errorf("%s: made as another it is %+v", l.path, made)
		}
		if made.Fingerprint() != theirs.Fingerprint() {
			t.Errorf("%s: workers would be made unlike the other's", l.path)
		}
	}
}
