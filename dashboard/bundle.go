package dashboard

import (
	"fmt"
	"regexp"
	"strings"
)

// Script is the name under which the page finds its whole program. It is one file, because a browser on the host itself drops what it
// loads whenever the host's networks change, and they do when a container starts: one request is soon done.
const Script = "app.js"

// modules are the parts of the script, each after those it imports; the last begins.
func modules() []string {
	return []string{"format", "live", "model", "charts", "story", "workers", "ports", "pool", "app"}
}

// bundle makes one script out of the modules. A module may write `import { a, b } from './m.js';` on one line and put `export` before what
// it declares at the beginning of a line, and nothing else of that kind.
func bundle() ([]byte, error) {
	imports := regexp.MustCompile(`(?m)^import (\{[^}]*\}) from '\./(\w+)\.js';$`)
	exports := regexp.MustCompile(`(?m)^export ((?:async )?(?:function|class|const) (\w+))`)
	var b strings.Builder
	for _, name := range modules() {
		body, err := assets.ReadFile("assets/" + name + ".js")
		if err != nil {
			return nil, err
		}
		var names []string
		for _, match := range exports.FindAllSubmatch(body, -1) {
			names = append(names, string(match[2]))
		}
		body = exports.ReplaceAll(imports.ReplaceAll(body, []byte("const $1 = of_${2};")), []byte("$1"))
		fmt.Fprintf(&b, "const of_%s = (() => {\n'use strict';\n%s\nreturn { %s };\n})();\n", name, body, strings.Join(names, ", "))
	}
	return []byte(b.String()), nil
}
