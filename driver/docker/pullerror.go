package docker

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"understudy/driver"
)

var (
	// errRegistryAway: nothing was learnt about the image; another try may.
	errRegistryAway = errors.New("the registry does not answer now")
	// errNotSoon: that try should not follow at once.
	errNotSoon = errors.New("the registry wants to be left alone")
)

// pullFailure says in one sentence why an image cannot be pulled and what to do. Only the engine's text tells. unread is why the credentials
// could not be read: many images need none, so that is said only when it may be the reason.
func (d *Driver) pullFailure(ref string, err, unread error) error {
	whole := strings.TrimPrefix(err.Error(), "docker: pull image "+ref+": ")
	text := short(whole)
	if unread != nil {
		text += " (" + short(unread.Error()) + ")"
	}
	host, login := registryOf(ref), "docker login "+registryOf(ref)
	if host == hub {
		host, login = "Docker Hub", "docker login"
	}
	what := fmt.Sprintf("image %s cannot be pulled: ", ref)
	switch lower := withoutNames(whole); {
	case errors.Is(err, errStalled), errors.Is(err, errTooLong):
		return failure(what+text+fmt.Sprintf(" (is %s too slow, or the way to it?)", host), driver.ErrImageMissing, errRegistryAway, errNotSoon)
	case contains(lower, "no matching manifest", "does not match the specified platform", "no match for platform"):
		return failure(what+fmt.Sprintf("it is not made for linux/%s, which this engine runs: %s", d.engine.version.Arch, text), driver.ErrImageMissing)
	case contains(lower, "no space left"):
		return failure(what+"the engine's disk is full: "+text, driver.ErrImageMissing)
	case contains(lower, "toomanyrequests", "too many requests", "http status: 429", "http 429"):
		return failure(what+fmt.Sprintf("too much has been pulled from %s, which lets those pull more who are known to it (%s): %s", host, login, text),
			driver.ErrImageMissing, errRegistryAway, errNotSoon)
	case contains(lower, "unauthorized", "no basic auth credentials", "authentication required", "denied", "forbidden", "incorrect username"):
		return failure(what+fmt.Sprintf("%s does not give it to these credentials (%s, as the user the balancer runs as): %s", host, login, text), driver.ErrImageMissing)
	case contains(lower, "manifest unknown", "not found", "name unknown"):
		return failure(what+fmt.Sprintf("%s has no such image, so check its name and tag: %s", host, text), driver.ErrImageMissing)
	case contains(lower, "connection refused", "no such host", "timeout", "timed out", "unreachable", "connection reset", "eof", "request canceled",
		"server misbehaving", "temporary failure", "http status: 5", "http response 5", "500 internal", "502 bad", "503 service", "504 gateway", "unavailable"):
		return failure(what+fmt.Sprintf("%s does not answer as it should: %s", host, text), driver.ErrImageMissing, errRegistryAway)
	}
	return failure(what+text, driver.ErrImageMissing)
}

// withoutNames leaves of a registry's words what may tell what is wrong: what is in an address or in a name is chance.
func withoutNames(text string) string {
	words := strings.Fields(strings.ToLower(text))
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.Contains(w, "/") }), " ")
}

func contains(text string, any ...string) bool {
	for _, word := range any {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// short cuts what a registry said, which may be a whole page.
func short(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
