package driver_test

import (
	"slices"
	"testing"

	"understudy/driver"
)

func TestExpandPortReplacesTheWordPortAndNothingElse(t *testing.T) {
	got := driver.ExpandPort([]string{"serve", "--listen=:$PORT", "${PORT}", "$PORTAL", "$PORT_X", "$$PORT", "$HOME", "$1"}, 8080)
	want := []string{"serve", "--listen=:8080", "8080", "$PORTAL", "$PORT_X", "$8080", "$HOME", "$1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExpandPortLeavesItsArgumentAlone(t *testing.T) {
	in := []string{"$PORT"}
	driver.ExpandPort(in, 1)
	if in[0] != "$PORT" {
		t.Errorf("the caller's command became %q", in)
	}
}

func TestWithEnvLeavesOneValuePerKeyItSets(t *testing.T) {
	in := []string{"A=1", "PORT=9", "PORTAL=x", "PORT=10", "B=a=b"}
	got := driver.WithEnv(in, "PORT=8080", "HOST=h")
	want := []string{"A=1", "PORTAL=x", "B=a=b", "PORT=8080", "HOST=h"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
