package docker

import (
	"fmt"
	"strings"
)

// words are what the engine said, without the name of the container, in which any word may stand: a pool can be called exec or network.
func (a *attempt) words(err error) string { return strings.ReplaceAll(err.Error(), a.plan.name, "") }

// advised adds to the engine's refusal of a container which key of its pool that is about. Only the engine's text tells.
func (a *attempt) advised(err error) error {
	words := strings.ToLower(a.words(err))
	for _, r := range []struct{ words, cure string }{
		{"unknown capability", "correct the pool's security key cap_add: capabilities(7) has the names"},
		{"invalid tmpfs option", "correct the pool's security key tmpfs: tmpfs(5) has the options"},
		{"unable to find user", numbers},
		{"unable to find group", numbers},
		{"gathering device information", "correct the pool's security key devices: it must be there on the engine's host"},
		{"could not select device driver", "the pool's security key devices asks for a GPU, which the engine serves with NVIDIA's container toolkit alone"},
		{"range of cpus", "lower the pool's key resources.cpus"},
	} {
		if strings.Contains(words, r.words) {
			return failure(fmt.Sprintf("%s (%s)", err, r.cure), err)
		}
	}
	if name := a.plan.spec.Security.Network; name != "" && networkGone(words) {
		return failure(fmt.Sprintf("%s (docker network create %s, or correct the pool's security key network)", err, name), err)
	}
	return err
}

const numbers = "the image knows no such name: give the pool's security key user as numbers, such as 65532:65532"

// networkGone: a container was to be on a network that is not there.
func networkGone(words string) bool {
	return strings.Contains(words, "network") && strings.Contains(words, "not found") && !strings.Contains(words, "executable file")
}
