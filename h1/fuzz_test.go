package h1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
)

// FuzzResponse: what we take for an answer net/http takes for the same one, with the same fields, body, trailer and end, and it does not want
// the connection closed where we would use it again. It takes more, which is its business. What we take and it does not is listed in
// allowedDifference.
func FuzzResponse(f *testing.F) {
	for _, seed := range responseSeeds() {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, head bool) {
		method := map[bool]string{false: "GET", true: "HEAD"}[head]
		ours := receive(&script{pieces: []string{text}}, method, 512)
		if bytewise := receive(&script{pieces: bytewise(text)}, method, 7); !bytewise.same(ours) {
			t.Fatalf("%q: whole %v, byte by byte %v", text, ours, bytewise)
		}
		if ours.status == 0 {
			return
		}
		input := bufio.NewReaderSize(strings.NewReader(text), 1<<20)
		theirs, err := http.ReadResponse(input, &http.Request{Method: method})
		if allowedDifference(err) {
			return
		}
		if err != nil {
			t.Fatalf("we took %q, net/http says %v", text, err)
		}
		if theirs.StatusCode != ours.status || theirs.ProtoMinor != ours.minor {
			t.Fatalf("%q: %d 1.%d, net/http %d 1.%d", text, ours.status, ours.minor, theirs.StatusCode, theirs.ProtoMinor)
		}
		sameFields(t, ours.fields, theirs.Header, "Transfer-Encoding", "Trailer", "Content-Length", "Connection", "Cache-Control")
		body, err := io.ReadAll(theirs.Body)
		if ours.err != nil {
			if !strings.HasPrefix(string(body), ours.body) {
				t.Fatalf("%q: before the error %q, net/http %q", text, ours.body, body)
			}
			return
		}
		if err != nil || string(body) != ours.body {
			t.Fatalf("%q: body %q, net/http %q %v", text, ours.body, body, err)
		}
		for _, f := range ours.trailer {
			if !slices.Contains(theirs.Trailer[http.CanonicalHeaderKey(f.Name)], f.Value) {
				t.Fatalf("%q: trailer %q, net/http %q", text, ours.trailer, theirs.Trailer)
			}
		}
		if rest, _ := io.ReadAll(input); string(rest) != ours.rest {
			t.Fatalf("%q: behind it %q, net/http %q", text, ours.rest, rest)
		}
		if theirs.Close && ours.reusable {
			t.Fatalf("%q: net/http closes the connection, we use it again", text)
		}
	})
}

// allowedDifference tells whether net/http refuses something for a reason that is none for us.
func allowedDifference(err error) bool {
	if err == nil {
		return false
	}
	for _, reason := range []string{
		"bad trailer key",                 // it refuses an announcement of Content-Length in a trailer; we ignore announcements and refuse such a trailer
		"multiple Content-Length headers", // it compares text, we numbers: 5 and 05 are one length
	} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	return false
}

// sameFields compares the values of each name, but for those that net/http takes out or puts in.
func sameFields(t *testing.T, ours Fields, theirs http.Header, except ...string) {
	t.Helper()
	for _, f := range ours {
		name := http.CanonicalHeaderKey(f.Name)
		if values := slices.Collect(ours.Values(f.Name)); !slices.Contains(except, name) && !slices.Equal(values, theirs[name]) {
			t.Fatalf("%s: %q, net/http %q", f.Name, values, theirs[name])
		}
	}
	for name := range theirs {
		if !ours.Has(name) && !slices.Contains(except, name) {
			t.Fatalf("net/http has %s: %q", name, theirs[name])
		}
	}
}

func responseSeeds() []string {
	const ok = "HTTP/1.1 200 OK\r\n"
	seeds := []string{
		"", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok + "\r\n", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x00",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		ok + "\r\nuntil the end", ok + "Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		ok + "Connection: close, x\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", ok + "A: b\r\n c\r\n\r\n",
		ok + "A : b\r\n\r\n", ok + "A: b\x00\r\n\r\n", ok + "A: b\rc\r\n\r\n", ok + ": b\r\n\r\n", ok + "A\r\n\r\n", ok + "Pragma: no-cache\r\nContent-Length: 0\r\n\r\n",
		chunkedHead + "3;x=y\r\nabc\r\n0\r\nA: b\r\na: c\r\n\r\nrest", ok + "Trailer: A, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		chunkedHead + "1\r\nx\r\n0\r\nContent-Length: 4\r\n\r\n",
	}
	for _, length := range []string{"+5", "-1", "0x5", "5,5", "5 5", "", "18446744073709551616", "9223372036854775807", "0"} {
		seeds = append(seeds, ok+"Content-Length: "+length+"\r\n\r\nhello")
	}
	for _, coding := range []string{"chunked, chunked", ",chunked", "xchunked", "identity", "gzip, chunked", "\x0bchunked", "CHUNKED", "chunked\r\nTransfer-Encoding: chunked"} {
		seeds = append(seeds, ok+"Transfer-Encoding: "+coding+"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	}
	for _, chunks := range chunkSeeds() {
		seeds = append(seeds, chunkedHead+chunks)
	}
	return seeds
}

func chunkSeeds() []string {
	return []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "-1\r\nh\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n",
		"10000000000000005\r\nhello\r\n0\r\n\r\n", "fffffffffffffff\r\nhello", "1Z\r\nh\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
		"5\nhello\n0\n\n", "\r\r;\r\nhello\r\n0\r\n\r\n", "5\r\nhellox\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n", "1;e\r\nx\r\n1;e\r\ny\r\n0;f\r\nT: u\r\n\r\n",
		strings.Repeat("1;"+strings.Repeat("e", 400)+"\r\nx\r\n", 50) + "0\r\n\r\n", "00\r\n\r\nx", "a\r\n0123456789\r\n0\r\n\r\n0\r\n\r\n",
	}
}

// FuzzChunked: what we take for chunks net/http takes for the same ones, and sees their end in the same place.
func FuzzChunked(f *testing.F) {
	for _, seed := range chunkSeeds() {
		f.Add(seed, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		var all [2]string
		var errs [2]error
		var rests [2]string
		for i, pieces := range [][]string{{text}, bytewise(text)} {
			s := &script{pieces: pieces}
			b := body{r: &reader{src: s}}
			b.begin(chunkedCoding, -1)
			data, err := io.ReadAll(readerFunc(func(p []byte) (int, error) { return b.Read(p[:min(len(p), int(size)+1)]) }))
			all[i], errs[i], rests[i] = string(data), err, string(b.r.buf[b.r.r:b.r.w])+strings.Join(s.pieces, "")
		}
		if all[0] != all[1] || fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) || errs[0] == nil && rests[0] != rests[1] {
			t.Fatalf("%q: whole %q %v, byte by byte %q %v", text, all[0], errs[0], all[1], errs[1])
		}
		input := bufio.NewReader(strings.NewReader(text))
		theirs, err := io.ReadAll(httputil.NewChunkedReader(input))
		if errs[0] != nil {
			if !bytes.HasPrefix(theirs, []byte(all[0])) {
				t.Fatalf("%q: before the error %q, net/http %q", text, all[0], theirs)
			}
			return
		}
		rest, _ := io.ReadAll(input) // it leaves the trailer and the empty line, which end where we say
		if err != nil || string(theirs) != all[0] || !strings.HasSuffix(string(rest), rests[0]) {
			t.Fatalf("%q: %q and then %q, net/http %q %v and then %q", text, all[0], rests[0], theirs, err, rest)
		}
		if trailer := strings.TrimSuffix(string(rest), rests[0]); trailer != "\r\n" && !strings.HasSuffix(trailer, "\r\n\r\n") {
			t.Fatalf("%q: the end %q is none", text, trailer)
		}
	})
}

// FuzzRoundTrip: an answer that is put together from parts comes apart into the same parts, whatever is in them.
func FuzzRoundTrip(f *testing.F) {
	f.Add("A", "b", []byte("hello"), uint8(2), uint16(200), "T", "u")
	f.Add("x-y", "é \t z", []byte("0\r\n\r\n"), uint8(0), uint16(999), "!", "")
	f.Add("Connection", "close", bytes.Repeat([]byte("x"), 9000), uint8(255), uint16(404), "b", "c")
	f.Fuzz(func(t *testing.T, name, value string, data []byte, step uint8, status uint16, trailer, last string) {
		value, last = trimSpace(value), trimSpace(last)
		framing := func(s string) bool { return equalFold(s, "Content-Length") || equalFold(s, "Transfer-Encoding") }
		if !IsToken(name) || !IsValue(value) || framing(name) || !IsToken(trailer) || !IsValue(last) || framing(trailer) || len(value)+len(last)+len(name)+len(trailer) > 4000 {
			return
		}
		status = 200 + status%800
		if status == 204 || status == 304 {
			return
		}
		head := AppendField(fmt.Appendf(nil, "HTTP/1.1 %d some phrase\r\n", status), name, value)
		sized := fmt.Appendf(bytes.Clone(head), "Content-Length: %d\r\n\r\n%s", len(data), data)
		chunks := append(bytes.Clone(head), "Transfer-Encoding: chunked\r\n\r\n"...)
		for rest := data; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			chunks = fmt.Appendf(chunks, "%x\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
		chunks = append(AppendField(append(chunks, "0\r\n"...), trailer, last), "\r\n"...)
		for i, text := range []string{string(sized), string(chunks)} {
			o := receive(&script{pieces: []string{text}}, "GET", int(step)+1)
			closes := equalFold(name, "Connection") && o.fields.HasToken("Connection", "close")
			if o.err != nil || o.status != int(status) || o.fields[0] != (Field{name, value}) || o.body != string(data) || o.rest != "" || o.reusable == closes {
				t.Fatalf("%q: %v, reusable %v", text, o, o.reusable)
			}
			if i == 1 && !slices.Equal(o.trailer, Fields{{trailer, last}}) {
				t.Fatalf("%q: trailer %q", text, o.trailer)
			}
		}
	})
}
