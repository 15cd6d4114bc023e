package client

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/CLIENT.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryKeyOfTheJSONIsDocumentedAndNoOther: one table for each struct, in docs/CLIENT.md, with the keys in their order.
func TestEveryKeyOfTheJSONIsDocumentedAndNoOther(t *testing.T) {
	doc := document(t)
	seen := map[reflect.Type]bool{}
	var check func(reflect.Type)
	check = func(typ reflect.Type) {
		for typ.Kind() == reflect.Map || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		var want []string
		for i := range typ.NumField() {
			if f := typ.Field(i); f.IsExported() {
				want = append(want, f.Tag.Get("json"))
				check(f.Type)
			}
		}
		if got := documentedKeys(doc, typ.Name()); !slices.Equal(got, want) {
			t.Errorf("%s: docs/CLIENT.md has %q, the program writes %q", typ.Name(), got, want)
		}
	}
	check(reflect.TypeFor[Report]())
	if len(seen) != 11 {
		t.Errorf("%d structs were looked at", len(seen))
	}
}

// documentedKeys are the words in backticks in the first column of the table below a heading.
func documentedKeys(doc, name string) []string {
	_, section, _ := strings.Cut(doc, "\n#### `"+name+"`\n")
	section, _, _ = strings.Cut(section, "\n#")
	var keys []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, key := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
				keys = append(keys, key[1])
			}
		}
	}
	return keys
}

func TestTheCSVIsDocumented(t *testing.T) {
	doc := document(t)
	if header := strings.Join(CSVColumns(), ","); !strings.Contains(doc, "\n    "+header+"\n") {
		t.Errorf("docs/CLIENT.md does not have the columns %s", header)
	}
	var text strings.Builder
	if err := sample().WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(doc, "\n## CSV\n")
	for line := range strings.Lines(text.String()) {
		scope, _, _ := strings.Cut(line, ",")
		if scope != "scope" && !strings.Contains(section, "`"+scope+"`") {
			t.Errorf("docs/CLIENT.md does not have the scope %s", scope)
		}
	}
}

func TestEveryShapeCauseAndMetricIsDocumented(t *testing.T) {
	doc := document(t)
	words := append(strings.Fields(legalMetrics), strings.Fields(legalOperators)...)
	for _, shape := range Shapes() {
		words = append(words, string(shape))
	}
	for _, cause := range Causes() {
		words = append(words, string(cause))
	}
	for _, word := range words {
		if !strings.Contains(doc, "`"+word+"`") {
			t.Errorf("docs/CLIENT.md does not mention %s", word)
		}
	}
}
