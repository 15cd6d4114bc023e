package h1

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a message. Errors from this package wrap one of these, or are those of the connection.
var (
	ErrMalformed = errors.New("this is not valid HTTP")
	ErrTooLarge  = errors.New("the head is too large")
	ErrCoding    = errors.New("a transfer coding other than chunked")
	ErrVersion   = errors.New("this is not HTTP/1.0 or HTTP/1.1")
	ErrUnread    = errors.New("the answer before has not been read to its end")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// MaxFields bounds the fields of one head.
const MaxFields = 256

// parseFields reads the lines of a head into dst. A line ends with CRLF or, where bareLF is allowed, LF. A line that begins with white space
// would continue the one before (obs-fold), which RFC 9112 lets a recipient refuse.
func parseFields(lines string, dst Fields, bareLF bool) (Fields, error) {
	for lines != "" {
		line, rest, err := cutLine(lines, bareLF)
		if err != nil {
			return dst, err
		}
		lines = rest
		if len(dst) == MaxFields {
			return dst, fmt.Errorf("%w: more than %d fields", ErrTooLarge, MaxFields)
		}
		colon := strings.IndexByte(line, ':')
		if colon < 0 {
			return dst, malformed("a header line without a colon")
		}
		name, value := line[:colon], trimSpace(line[colon+1:])
		if !IsToken(name) {
			return dst, malformed("a header name that is none")
		}
		if !IsValue(value) {
			return dst, malformed("a control character in a header value")
		}
		dst = append(dst, Field{name, value})
	}
	return dst, nil
}

// cutLine takes the first line off, without its end.
func cutLine(s string, bareLF bool) (line, rest string, err error) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		return "", "", malformed("a line without an end")
	}
	line, rest = s[:i], s[i+1:]
	if strings.HasSuffix(line, "\r") {
		line = line[:len(line)-1]
	} else if !bareLF {
		return "", "", malformed("a line that ends with LF alone")
	}
	return line, rest, nil
}
