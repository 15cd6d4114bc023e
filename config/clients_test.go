package config

import (
	"net/netip"
	"slices"
	"testing"
)

func TestHowManyMayComeAtOnceFollowsFromTheRate(t *testing.T) {
	for _, c := range []struct {
		p    PerClient
		want int
	}{
		{PerClient{Rate: 0.5}, 1}, {PerClient{Rate: 2.9}, 2}, {PerClient{Rate: 100}, 100}, {PerClient{Rate: 100, Burst: 7}, 7}, {PerClient{Rate: 0.5, Burst: 7}, 7},
	} {
		if got := c.p.Most(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.p, got, c.want)
		}
	}
}

func TestNetworksAreWhatTheTextsSay(t *testing.T) {
	got := Networks([]string{"10.0.0.0/8", "no", "fd00::/8"})
	if want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
