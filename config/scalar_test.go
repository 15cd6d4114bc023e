package config

import (
	"math"
	"testing"
	"testing/quick"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "0.0": 0, "-0": 0, "300ms": 300 * time.Millisecond, "1m30s": 90 * time.Second, "1.5h": 90 * time.Minute, "-1s": -time.Second, "2us": 2000,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q gives %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "is not a duration", "300": "has no unit", "1e3": "has no unit", "1d": "is not a duration", "ms": "is not a duration",
		"1 s": "is not a duration", "5m3": "is not a duration", "99999999h": "is not a duration",
	} {
		if got, err := parseDuration(text); err == nil || err.Error() != want {
			t.Errorf("%q gives %v, %v, want the error %q", text, got, err, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "00": 0, "0MiB": 0, "1B": 1, "64KiB": 64 << 10, "512MiB": 512 << 20, "512 MiB": 512 << 20, "1GB": 1e9, "1gib": 1 << 30, "3kB": 3000,
		"2TiB": 2 << 40, "2TB": 2e12, "9223372036854775807B": math.MaxInt64,
	} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%q gives %d, %v, want %d", text, int64(got), err, int64(want))
		}
	}
	for text, want := range map[string]string{
		"": "is not a size", "512": "has no unit", "512M": "is not a size", "512m": "is not a size", "-1MiB": "is not a size", "1.5GiB": "is not a size",
		"MiB": "is not a size", "5 5MiB": "is not a size", "1KiBKiB": "is not a size", "9223372036854775808B": "is too large", "8388608TiB": "is too large",
	} {
		if got, err := parseBytes(text); err == nil || err.Error() != want {
			t.Errorf("%q gives %d, %v, want the error %q", text, int64(got), err, want)
		}
	}
}

func TestSizesAreWrittenInTheLargestUnitThatIsWhole(t *testing.T) {
	for size, want := range map[Bytes]string{0: "0", 1: "1B", 1000: "1KB", 1024: "1KiB", 1025: "1025B", 1 << 30: "1GiB", 1e9: "1GB", 1536 << 20: "1536MiB", 5e12: "5TB"} {
		if got := size.String(); got != want {
			t.Errorf("%d is written %q, want %q", int64(size), got, want)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	size := func(n int64) bool {
		b := Bytes(n & math.MaxInt64)
		got, err := parseBytes(b.String())
		return err == nil && got == b
	}
	duration := func(n int64) bool {
		got, err := parseDuration(durationText(time.Duration(n)))
		return err == nil && got == time.Duration(n)
	}
	for _, property := range []any{size, duration} {
		if err := quick.Check(property, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestDurationsAreWrittenWithoutPartsThatAreZero(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Minute: "1m", time.Hour: "1h", 10 * time.Minute: "10m", 20 * time.Hour: "20h", 90 * time.Second: "1m30s",
		time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", 300 * time.Millisecond: "300ms",
	} {
		if got := durationText(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}
