package docker

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"understudy/driver/docker/enginetest"
	"understudy/driver/drivertest"
)

// TestTheDriverPassesTheSuiteOnAnEngineThatRunsNothing shows the fake engine to be an engine: what every driver is held to on a real
// one holds on it too.
func TestTheDriverPassesTheSuiteOnAnEngineThatRunsNothing(t *testing.T) {
	drivertest.Exercise(t, func(t *testing.T) drivertest.Harness {
		engine := newFakeEngineOf(t, enginetest.Options{Publish: true, Program: suiteWorker})
		return drivertest.Harness{Driver: engine.driver(), Other: engine.driverOf("other")}
	})
}

// suiteWorker does what the worker of the suite does.
func suiteWorker(enginetest.Container) enginetest.Program {
	return func(p *enginetest.Process) int {
		env := p.Environment()
		fmt.Fprintln(p.Output, "worker", env["UNDERSTUDY_WORKER"], "starts")
		if env["EXERCISE_BEHAVIOUR"] == "exit" {
			fmt.Fprintln(p.Output, "last words")
			return 7
		}
		ends := make(chan int, 1)
		p.Listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(drivertest.IdentityHeader, env["UNDERSTUDY_IDENTITY"])
			switch r.URL.Path {
			case "/exit":
				code, _ := strconv.Atoi(r.FormValue("code"))
				ends <- code
				panic(http.ErrAbortHandler)
			case "/say":
				fmt.Fprintln(p.Output, r.FormValue("line"))
			}
		}))
		signals := p.Signals
		if env["EXERCISE_BEHAVIOUR"] == "stubborn" {
			signals = nil
		}
		select {
		case <-signals:
			return 143
		case code := <-ends:
			return code
		case <-p.Context.Done():
			return 137
		}
	}
}
