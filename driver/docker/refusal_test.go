package docker

import (
	"errors"
	"testing"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestARefusalOfTheEngineNamesTheKeyOfThePool(t *testing.T) {
	for text, key := range map[string]string{
		`invalid CapAdd: unknown capability: "CAP_FOO"`:                                                           "key cap_add",
		`invalid tmpfs option ["foo" "1"]`:                                                                        "key tmpfs",
		`unable to find user nobody: no matching entries in passwd file`:                                          "key user",
		`error gathering device information while adding custom device "/dev/nothere": no such file or directory`: "key devices",
		`could not select device driver "" with capabilities: [[gpu]]`:                                            "key devices",
		`Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available`:                                  "key resources.cpus",
		`network nothere not found`:                                                                               "docker network create nothere",
	} {
		for _, call := range []string{"create", "start"} {
			engine := newFakeEngine(t)
			for range staleTries {
				engine.Script(call, enginetest.Refuse(400, text))
			}
			spec := fakeSpec("a")
			spec.Security.Network = "nothere"
			if _, err := engine.driver().Start(t.Context(), spec); err == nil || !has(err.Error(), text, key) {
				t.Errorf("after %q of %s Start returns %v, want it to name %q", text, call, err, key)
			}
		}
	}
}

func TestWhatAPoolIsCalledIsNotTakenForTheEnginesWords(t *testing.T) {
	for pool, text := range map[string]string{
		"exec":    `error gathering device information while adding custom device "/dev/nothere": no such file or directory`,
		"network": `a thing was not found`,
	} {
		engine := newFakeEngine(t)
		engine.Script("start", enginetest.Refuse(500, text))
		spec := fakeSpec("a")
		spec.Pool = pool
		var exit *driver.ExitError
		if _, err := engine.driver().Start(t.Context(), spec); err == nil || errors.As(err, &exit) || errors.Is(err, errStale) {
			t.Errorf("pool %s: after %q Start returns %v, want the engine's refusal alone", pool, text, err)
		}
	}
}
