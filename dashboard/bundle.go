package dashboard

import (
	"fmt"
	"strings"
	"unicode"
)

// Script is the name under which the page finds its whole program. It is one file, because a browser on the host itself drops what it
// loads whenever the host's networks change, and they do when a container starts: one request is soon done.
const Script = "app.js"

// loginScript is that of the document that asks for the token.
const loginScript = "login.js"

// modules are the parts of each script, each after those it imports; the last begins.
func modules() map[string][]string {
	return map[string][]string{
		Script:      {"ask", "format", "live", "model", "charts", "story", "workers", "ports", "pool", "app"},
		loginScript: {"ask", "login"},
	}
}

// bundle makes one script out of modules. A module may write `import { a, b } from './m.js';` on one line and put `export` before what
// it declares at the beginning of a line, and nothing else of that kind. It goes line by line: a regular expression over the whole text
// costs every process that begins a hundred times as much.
func bundle(parts []string) ([]byte, error) {
	var b strings.Builder
	for _, name := range parts {
		body, err := assets.ReadFile("assets/" + name + ".js")
		if err != nil {
			return nil, err
		}
		var names []string
		fmt.Fprintf(&b, "const of_%s = (() => {\n'use strict';\n", name)
		for line := range strings.SplitSeq(string(body), "\n") {
			line, export := own(line)
			if export != "" {
				names = append(names, export)
			}
			b.WriteString(line + "\n")
		}
		fmt.Fprintf(&b, "return { %s };\n})();\n", strings.Join(names, ", "))
	}
	return []byte(b.String()), nil
}

// own is a line of a module as it is in the script, and the name that it exports, if it does.
func own(line string) (text, export string) {
	if names, from, ok := strings.Cut(line, " from './"); ok && strings.HasPrefix(names, "import {") && strings.HasSuffix(from, ".js';") {
		return "const " + strings.TrimPrefix(names, "import ") + " = of_" + strings.TrimSuffix(from, ".js';") + ";", ""
	}
	rest, ok := strings.CutPrefix(line, "export ")
	if !ok {
		return line, ""
	}
	declared := strings.TrimPrefix(rest, "async ")
	for _, kind := range []string{"function ", "class ", "const "} {
		if name, ok := strings.CutPrefix(declared, kind); ok {
			if end := strings.IndexFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '$' }); end >= 0 {
				name = name[:end]
			}
			return rest, name
		}
	}
	return line, ""
}
