package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzLoad: whatever a file says, Load ends, and with either a configuration or problems, each of them one line. What it accepts can be
// printed and loaded again.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"listen: 127.0.0.1:1\nguard: 5s\n",
		"pools: [{name: a, image: b, capabilities: [c], env: [A=b], workers: {max: 4}}]",
		"pools:\n- &a {name: a, <<: *a}\n- *a\n",
		"pools: [{name: a, command: [\"\\u0085\", '%', \"a\\nb\"]}]",
		"a: {b: [c, {d: e}]}\n? {}\n: 1\n---\n",
		"limits: {header: 64KiB, body: 1.5GiB}\nplanner: {allow: [::/0]}",
		"%YAML 1.1\n%TAG ! x:\n--- !!map {guard: !!int 0, listen: !!binary aGk=}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := Load(Source{Default: []byte(text)})
		if err != nil {
			var ps Problems
			if cfg != nil || !errors.As(err, &ps) || len(ps) == 0 {
				t.Fatalf("%v, %v", cfg, err)
			}
			for _, p := range ps {
				if p.Wrong == "" || strings.ContainsAny(p.String(), "\n\r\x1b") {
					t.Fatalf("%q", p.String())
				}
			}
			return
		}
		cfg.AdminToken = ""
		if a, ok := parseAddress(cfg.Admin); !ok || !a.loopback() {
			return // without its token it would be refused
		}
		out, err := Print(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "="+mask) {
			return
		}
		again, err := Load(Source{Default: out})
		if err != nil || !reflect.DeepEqual(again, cfg) {
			t.Fatalf("%v\ngot  %+v\nwant %+v\nfrom\n%s", err, again, cfg, out)
		}
	})
}
