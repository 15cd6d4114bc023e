//go:build long

package e2e

import (
	"fmt"
	"testing"
)

func TestContainersComeAndGoUnderLoadAndNobodyNotices(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	image := scratchImage(t, "cyclist", "understudy/e2e/cyclist")
	p := start(t, fmt.Sprintf(cyclesPool, "image: "+image+"\n    pull: never"), "--driver", "docker")
	cycles(t, p, max(cyclesLeast, (cyclesWanted(t)+cyclesPerSlow-1)/cyclesPerSlow))
}
