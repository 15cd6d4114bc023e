package h1

import (
	"iter"
	"strings"
)

// Field is one header field. Name is as it was sent: letter case means nothing.
type Field struct{ Name, Value string }

// Fields are header fields in the order they came.
type Fields []Field

// Get yields the first value of a field and whether there is one.
func (f Fields) Get(name string) (string, bool) {
	for i := range f {
		if equalFold(f[i].Name, name) {
			return f[i].Value, true
		}
	}
	return "", false
}

// Has tells whether there is such a field.
func (f Fields) Has(name string) bool {
	_, ok := f.Get(name)
	return ok
}

// Values yields the values of all fields of that name.
func (f Fields) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range f {
			if equalFold(f[i].Name, name) && !yield(f[i].Value) {
				return
			}
		}
	}
}

// HasToken tells whether one of the comma-separated values of a field is token, letter case aside.
func (f Fields) HasToken(name, token string) bool {
	for value := range f.Values(name) {
		for part := range strings.SplitSeq(value, ",") {
			if equalFold(trimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// EqualFold compares two field names or tokens, letter case aside. Unlike strings.EqualFold it knows ASCII only, as HTTP does.
func EqualFold(a, b string) bool { return equalFold(a, b) }

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// trimSpace cuts off optional white space as HTTP knows it: spaces and tabs.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// IsToken tells whether s can be a method or the name of a field (RFC 9110, section 5.6.2).
func IsToken(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// IsValue tells whether s can be the value of a field: no control character but tab, so nothing that ends a line.
func IsValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func tokenByte(c byte) bool {
	const punctuation uint64 = 1<<('!'-'!') | 1<<('#'-'!') | 1<<('$'-'!') | 1<<('%'-'!') | 1<<('&'-'!') | 1<<('\''-'!') | 1<<('*'-'!') |
		1<<('+'-'!') | 1<<('-'-'!') | 1<<('.'-'!') | 1<<('^'-'!') | 1<<('_'-'!')
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '`', c == '|', c == '~':
		return true
	case c < '!' || c > '`':
		return false
	}
	return punctuation>>(c-'!')&1 == 1
}

// AppendField writes one field as it stands in a head. Name and value must be valid (IsToken, IsValue).
func AppendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}
