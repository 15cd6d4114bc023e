package h1

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzRequest: what we take for a request net/http takes for the same one. It takes more, which is its business.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /a%2f?x=%zz;y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: A, B\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
		"GET http://u@h:1/p HTTP/1.0\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nabcde",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close, X\r\nExpect: 100-Continue\r\n\r\n",
		"GET /a#b HTTP/1.1\r\nHost:\r\nX:\t y \t\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{src: strings.NewReader(text)}
		head, err := r.head(8 << 10)
		var q requestHead
		if err != nil || q.parse(head) != nil {
			return
		}
		var b body
		b.r = r
		b.begin(map[bool]delimiter{true: chunkedCoding, false: fixedLength}[q.chunked], max(q.length, 0))
		ours, ourErr := io.ReadAll(&b)

		theirs, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			if strings.Contains(err.Error(), "invalid URI") || strings.Contains(err.Error(), "parse ") || strings.Contains(err.Error(), "invalid method") {
				return // we pass targets on as they are, and the balancer looks at what it routes by itself
			}
			t.Fatalf("we took %q, net/http says %v", head, err)
		}
		if theirs.Method != q.method || theirs.RequestURI != q.target || theirs.ProtoMinor != q.minor {
			t.Fatalf("%q: %s %s 1.%d, net/http %s %s 1.%d", head, q.method, q.target, q.minor, theirs.Method, theirs.RequestURI, theirs.ProtoMinor)
		}
		body, theirErr := io.ReadAll(theirs.Body)
		if ourErr == nil && (theirErr != nil || string(body) != string(ours)) {
			t.Fatalf("%q: body %q, net/http %q %v", text, ours, body, theirErr)
		}
	})
}
