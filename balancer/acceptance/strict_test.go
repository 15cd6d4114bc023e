package acceptance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// message is a request or an answer as it was on the wire, read by the letter: CRLF and nothing else ends a line, no folding, no control
// bytes, one framing field, chunks without extensions.
type message struct {
	start   string // the first line
	fields  []field
	trailer []field
	body    []byte // at most keepBody of it
	size    int64  // of all of it
	whole   bool   // the end came
	fault   error  // what is not allowed about it
}

type field struct{ name, value string }

const (
	keepBody = 1 << 20
	maxLine  = 1 << 20
)

// get is the value of the first field with the name, letter case aside.
func (m *message) get(name string) string {
	if all := m.all(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (m *message) all(name string) []string {
	var list []string
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			list = append(list, f.value)
		}
	}
	return list
}

func (m *message) has(name string) bool { return len(m.all(name)) > 0 }

// readStart reads the first line and the fields. io.EOF: there was nothing at all.
func readStart(r *bufio.Reader) (*message, error) {
	if _, err := r.Peek(1); err != nil {
		return nil, io.EOF
	}
	m := &message{}
	m.start, m.fault = readLine(r)
	if m.fault == nil {
		m.fields, m.fault = readFields(r)
	}
	return m, m.fault
}

// readLine takes one line. A carriage return anywhere but at its end is a fault, and so is any other control byte but a tab.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		c, err := r.ReadByte()
		switch {
		case err != nil:
			return string(line), io.ErrUnexpectedEOF
		case c == '\r':
			if c, err = r.ReadByte(); err != nil || c != '\n' {
				return string(line), fmt.Errorf("a bare CR after %q", tail(line))
			}
			return string(line), nil
		case c < ' ' && c != '\t' || c == 0x7f:
			return string(line), fmt.Errorf("the control byte %#02x after %q", c, tail(line))
		case len(line) == maxLine:
			return string(line), errors.New("a line without end")
		}
		line = append(line, c)
	}
}

func tail(line []byte) []byte { return line[max(0, len(line)-20):] }

func readFields(r *bufio.Reader) ([]field, error) {
	var list []field
	for {
		line, err := readLine(r)
		if err != nil || line == "" {
			return list, err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return list, fmt.Errorf("%q is no field", line)
		}
		list = append(list, field{name, strings.Trim(value, " \t")})
	}
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// framing reads what the fields say about the body's end: a size, or -1 for chunks, or -2 when they say nothing.
func (m *message) framing() (int64, error) {
	lengths, encodings := m.all("Content-Length"), m.all("Transfer-Encoding")
	switch {
	case len(lengths)+len(encodings) > 1:
		return 0, fmt.Errorf("more than one framing field: %q %q", lengths, encodings)
	case len(encodings) == 1 && encodings[0] == "chunked":
		return -1, nil
	case len(encodings) == 1:
		return 0, fmt.Errorf("Transfer-Encoding: %q", encodings[0])
	case len(lengths) == 0:
		return -2, nil
	}
	if n, err := strconv.ParseInt(lengths[0], 10, 64); err == nil && strconv.FormatInt(n, 10) == lengths[0] && n >= 0 {
		return n, nil
	}
	return 0, fmt.Errorf("Content-Length: %q", lengths[0])
}

// readBody takes so many bytes, or chunks (size -1), or everything there is (size -2).
func (m *message) readBody(r *bufio.Reader, size int64) error {
	switch {
	case size == -1:
		m.fault = m.readChunks(r)
	case size == -2:
		m.fault = m.take(r, 1<<62)
		if m.fault == io.ErrUnexpectedEOF {
			m.fault = nil
		}
	default:
		m.fault = m.take(r, size)
	}
	m.whole = m.fault == nil
	return m.fault
}

// take reads n bytes of the body. io.ErrUnexpectedEOF: it broke off.
func (m *message) take(r *bufio.Reader, n int64) error {
	buf := make([]byte, min(n, 32<<10))
	for n > 0 {
		k, err := r.Read(buf[:min(n, int64(len(buf)))])
		m.body = append(m.body, buf[:min(k, keepBody-len(m.body))]...)
		m.size += int64(k)
		n -= int64(k)
		if err != nil && n > 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

func (m *message) readChunks(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(line, 16, 62)
		if err != nil || line[0] == '+' {
			return fmt.Errorf("the chunk size %q", line)
		}
		if size == 0 {
			m.trailer, err = readFields(r)
			return err
		}
		if err := m.take(r, int64(size)); err != nil {
			return err
		}
		if line, err := readLine(r); err != nil {
			return err
		} else if line != "" {
			return fmt.Errorf("%q behind a chunk", line)
		}
	}
}

// checkRequest says what is not allowed about the head of a request.
func (m *message) checkRequest() error {
	parts := strings.Split(m.start, " ")
	switch {
	case len(parts) != 3 || !isToken(parts[0]) || !strings.HasPrefix(parts[1], "/") || parts[2] != "HTTP/1.1":
		return fmt.Errorf("the request line %q", m.start)
	case strings.ContainsAny(parts[1], "\t#"):
		return fmt.Errorf("the target %q", parts[1])
	case len(m.all("Host")) != 1:
		return fmt.Errorf("%d Host fields", len(m.all("Host")))
	}
	return nil
}

// request is "POST /mult".
func (m *message) request() string {
	request, _, _ := strings.Cut(m.start, " HTTP/")
	return request
}
