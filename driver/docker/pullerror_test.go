package docker

import (
	"errors"
	"strings"
	"testing"

	"understudy/driver"
)

func TestWhatIsWrongWithARegistryIsNotReadFromNamesAndPorts(t *testing.T) {
	d := newFakeEngine(t).driver()
	for _, tc := range []struct {
		ref, said, want string
		away, notSoon   bool
	}{
		{"127.0.0.1:34291/app:1", `Head "http://127.0.0.1:34291/v2/app/manifests/1": no basic auth credentials`, "does not give it", false, false},
		{"127.0.0.1:34291/app:1", `Get "http://127.0.0.1:34291/v2/": dial tcp 127.0.0.1:34291: connect: connection refused`, "does not answer", true, false},
		{"ghcr.io/me/app@sha256:4290", "manifest for ghcr.io/me/app@sha256:4290 not found: manifest unknown", "no such image", false, false},
		{"ghcr.io/denied/app:1", "manifest for ghcr.io/denied/app:1 not found: manifest unknown", "no such image", false, false},
		{"ghcr.io/me/geofence:1", "invalid manifest of ghcr.io/me/geofence:1", "invalid manifest", false, false},
		{"ghcr.io/me/app:1", `Get "https://ghcr.io/v2/": net/http: TLS handshake timeout`, "does not answer", true, false},
		{"ghcr.io/me/app:1", `Get "https://ghcr.io/v2/": read tcp 10.0.0.1:4290->1.2.3.4:443: i/o timeout`, "does not answer", true, false},
		{"ghcr.io/me/app:1", `error pulling image configuration: Get "https://ghcr.io/v2/me/app/blobs/x": EOF`, "does not answer", true, false},
		{"ghcr.io/me/app:1", "error parsing HTTP 429 response body: invalid character '<'", "too much has been pulled", true, true},
		{"ghcr.io/me/app:1", "received unexpected HTTP status: 429 Too Many Requests", "too much has been pulled", true, true},
		{"ghcr.io/me/app:1", "no matching manifest for linux/amd64 in the manifest list entries", "not made for linux/", false, false},
	} {
		err := d.pullFailure(tc.ref, errors.New("docker: pull image "+tc.ref+": "+tc.said), errors.New("docker-credential-x: 429 denied, eof, unavailable"))
		if !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), tc.want, "docker-credential-x") || strings.Count(err.Error(), tc.said) != 1 {
			t.Errorf("of %q is made %v; want %q", tc.said, err, tc.want)
		}
		if errors.Is(err, errRegistryAway) != tc.away || errors.Is(err, errNotSoon) != tc.notSoon {
			t.Errorf("of %q is made that it is away: %v, not to be asked soon: %v", tc.said, errors.Is(err, errRegistryAway), errors.Is(err, errNotSoon))
		}
	}
}
