package h1

import "math"

// delimiter is what ends a body.
type delimiter uint8

const (
	noBody delimiter = iota
	fixedLength
	chunkedCoding
	untilClose
)

// framing is what the fields of a message say about its body.
type framing struct {
	length  int64 // of Content-Length; below 0: there is none
	chunked bool
	close   bool // the connection ends with this message
}

// frame reads the fields that delimit a message (RFC 9112, section 6). Where they leave room for two readings it is an error: more than one
// transfer coding or one that is not chunked, a coding beside a length or in HTTP/1.0, lengths that differ.
func frame(fields Fields, minor int) (framing, error) {
	f := framing{length: -1}
	keep := false
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		var err error
		switch {
		case equalFold(name, "Content-Length"):
			err = f.addLength(value)
		case equalFold(name, "Transfer-Encoding"):
			err = f.addCoding(value)
		case equalFold(name, "Connection"):
			closes, keeps := connectionOptions(value)
			f.close, keep = f.close || closes, keep || keeps
		}
		if err != nil {
			return f, err
		}
	}
	switch {
	case f.chunked && f.length >= 0:
		return f, malformed("both a length and a transfer coding")
	case f.chunked && minor == 0:
		return f, malformed("a transfer coding in HTTP/1.0")
	}
	f.close = f.close || minor == 0 && !keep
	return f, nil
}

func (f *framing) addLength(value string) error {
	n, ok := parseLength(value)
	if !ok || f.length >= 0 && f.length != n {
		return malformed("a Content-Length that is no number, or two that differ")
	}
	f.length = n
	return nil
}

func (f *framing) addCoding(value string) error {
	if f.chunked || !equalFold(value, "chunked") {
		return ErrCoding
	}
	f.chunked = true
	return nil
}

// parseLength reads 1*DIGIT that fits into an int64, and nothing else.
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 19 {
		return 0, false
	}
	n := uint64(0)
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d) // 19 digits fit into an uint64
	}
	return int64(n), n <= math.MaxInt64
}

// connectionOptions looks for close and keep-alive among the options of a Connection field.
func connectionOptions(value string) (closes, keeps bool) {
	for value != "" {
		option, rest := value, ""
		for i := range len(value) {
			if value[i] == ',' {
				option, rest = value[:i], value[i+1:]
				break
			}
		}
		option = trimSpace(option)
		closes = closes || equalFold(option, "close")
		keeps = keeps || equalFold(option, "keep-alive")
		value = rest
	}
	return closes, keeps
}
