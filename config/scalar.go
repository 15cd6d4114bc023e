package config

import (
	"errors"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is legal for a kind of value, in the words of a problem.
const (
	legalDuration = "a duration with a unit of ns, us, ms, s, m or h, such as 300ms or 1m30s, or 0"
	legalBytes    = "a size with a unit of B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 512MiB, or 0"
	legalInt      = "a whole number"
	legalFloat    = "a number"
	legalBool     = "true or false"
)

// scalar reads the text of one value of type t. wrong is empty when it is one.
func scalar(t reflect.Type, text string) (value any, wrong, legal string) {
	switch t {
	case reflect.TypeFor[Duration]():
		d, err := parseDuration(text)
		return d, complaint(err), legalDuration
	case reflect.TypeFor[Bytes]():
		n, err := parseBytes(text)
		return n, complaint(err), legalBytes
	}
	switch t.Kind() {
	case reflect.Int:
		n, err := parseInt(text)
		return n, complaint(err), legalInt
	case reflect.Float64:
		f, err := parseFloat(text)
		return f, complaint(err), legalFloat
	case reflect.Bool, reflect.Pointer: // the only pointers are to bool: absent means "as the level says"
		b, err := parseBool(text)
		return b, complaint(err), legalBool
	default:
		return text, "", ""
	}
}

func complaint(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

var (
	errNoUnit   = errors.New("has no unit")
	errNoSize   = errors.New("is not a size")
	errTooLarge = errors.New("is too large")
)

// parseDuration reads what time.ParseDuration does; a number without a unit only when it is 0.
func parseDuration(s string) (Duration, error) {
	if plainNumber.MatchString(s) {
		if f, err := strconv.ParseFloat(s, 64); err == nil && f == 0 {
			return 0, nil
		}
		return 0, errNoUnit
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("is not a duration")
	}
	return d, nil
}

// parseBytes reads a whole number and a decimal (kB = 1000) or binary (KiB = 1024) unit, letter case aside.
func parseBytes(s string) (Bytes, error) {
	digits := strings.TrimRight(s, "BKMGTikmgtbI ")
	unit := strings.ToLower(strings.TrimSpace(s[len(digits):]))
	n, err := strconv.ParseUint(digits, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errTooLarge
	case err != nil:
		return 0, errNoSize
	case unit == "" && n == 0:
		return 0, nil
	case unit == "":
		return 0, errNoUnit
	}
	for _, u := range byteUnits() {
		if strings.ToLower(u.name) != unit {
			continue
		}
		if n > uint64(math.MaxInt64/u.size) {
			return 0, errTooLarge
		}
		return Bytes(n) * u.size, nil
	}
	return 0, errNoSize
}

type byteUnit struct {
	name string
	size Bytes
}

// byteUnits in the order in which a size is tried to be written: the largest first.
func byteUnits() []byteUnit {
	return []byteUnit{
		{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9},
		{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"KB", 1e3}, {"B", 1},
	}
}

// String writes the size in the largest unit it is a whole number of, in the form Load reads.
func (b Bytes) String() string {
	if b == 0 {
		return "0"
	}
	units := byteUnits()
	u := units[slices.IndexFunc(units, func(u byteUnit) bool { return b%u.size == 0 })] // B always fits
	return strconv.FormatInt(int64(b/u.size), 10) + u.name
}

// durationText writes a duration without the zero parts that time.Duration adds: 1m rather than 1m0s.
func durationText(d Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parseInt takes decimal numbers only: 010 is eight to some readers and ten to others.
func parseInt(s string) (int, error) {
	if !plainInt.MatchString(s) {
		return 0, errors.New("is not a whole number")
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, errTooLarge
	}
	return n, nil
}

func parseFloat(s string) (float64, error) {
	if !plainNumber.MatchString(s) {
		return 0, errors.New("is not a number")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, errTooLarge
	}
	return f, nil
}

func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("is neither true nor false")
}

var (
	plainInt    = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	plainNumber = regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
)
