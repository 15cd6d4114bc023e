package acceptance

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestEveryRowOfTheListIsSomewhere: no row of the list is left out in silence. docs/PROXY.md has a line for each that says where it is tested.
func TestEveryRowOfTheListIsSomewhere(t *testing.T) {
	here := map[int]bool{24: true} // FuzzForwarded
	for _, list := range everything() {
		for _, r := range list {
			number, _, _ := strings.Cut(r.name, " ")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("row %q has no number", r.name)
			}
			here[n] = true
		}
	}
	page, err := os.ReadFile("../../docs/PROXY.md")
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 64; n++ {
		line := ""
		for text := range strings.Lines(string(page)) {
			if strings.HasPrefix(text, fmt.Sprintf("| %d |", n)) {
				line = text
			}
		}
		switch {
		case line == "":
			t.Errorf("docs/PROXY.md does not say where row %d is tested", n)
		case here[n] != strings.Contains(line, "`TestB") && n != 24:
			t.Errorf("docs/PROXY.md is wrong about row %d: %s", n, line)
		}
	}
}

func everything() [][]row {
	return [][]row{
		b1Line(), b1Target(), b1Path(),
		b2Head(), b2Length(), b2Both(), b2Coding(), b2Chunks(), b2Trailers(), b2Expect(), b2Large(), b2Pipelines(),
		b3Nominated(), b3Forwarding(), b3Trusted(), b3Hop(), b3Secrets(),
		b4Upgrades(), b4Tunnels(), b4Streams(), b4Interim(), b4Trailers(), b4Bodiless(),
		b5SlowHead(), b5SlowBody(), b5SlowReader(), b5Huge(), b5Many(), b5Queue(), b5Frames(), b5Gone(),
		b6Retry(), b6Stale(), b6Total(), b6Late(), b6Broken(), b6Nonsense(), b6Extra(), b6Own(), b6Ejected(), b6Squatter(), b6Cycles(),
		b7Drain(), b8Capabilities(), b8Hostile(),
	}
}

// TestTheStrictReaderIsStrict: the suite is worth what its reader notices.
func TestTheStrictReaderIsStrict(t *testing.T) {
	const head = "POST /x HTTP/1.1\r\nHost: h\r\n"
	tests := []struct {
		name, bytes string
		good        bool
	}{
		{"a length", head + "Content-Length: 2\r\n\r\nhi", true},
		{"chunks", head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n", true},
		{"no body", head + "\r\n", true},
		{"bare LF", "POST /x HTTP/1.1\nHost: h\r\n\r\n", false},
		{"a bare CR", head + "X: a\rb\r\n\r\n", false},
		{"NUL", head + "X: a\x00\r\n\r\n", false},
		{"a folded line", head + "X: a\r\n b\r\n\r\n", false},
		{"a space before a colon", head + "X : a\r\n\r\n", false},
		{"two framings", head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", false},
		{"a length with a sign", head + "Content-Length: +2\r\n\r\nhi", false},
		{"another coding", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false},
		{"an extension", head + "Transfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\n\r\n", false},
		{"bytes behind a chunk", head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhix\r\n0\r\n\r\n", false},
		{"a body that breaks off", head + "Content-Length: 3\r\n\r\nhi", false},
		{"chunks that break off", head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", false},
		{"HTTP/1.0", "GET /x HTTP/1.0\r\nHost: h\r\n\r\n", false},
		{"absolute form", "GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n", false},
		{"two spaces", "GET  /x HTTP/1.1\r\nHost: h\r\n\r\n", false},
		{"no Host", "GET /x HTTP/1.1\r\n\r\n", false},
		{"two Hosts", "GET /x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := parse([]byte(tt.bytes))
			good := len(list) == 1 && list[0].checkRequest() == nil
			if good != tt.good {
				t.Errorf("good: %v", good)
			}
		})
	}
}
