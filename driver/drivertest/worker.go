package drivertest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"understudy/driver"
)

// IdentityHeader is the header in which a worker answers the identity its start gave it.
const IdentityHeader = "X-Understudy-Identity"

// What a worker of the suite does is set in its environment.
const (
	behaviourKey = "EXERCISE_BEHAVIOUR"
	exits        = "exit"     // prints "last words" and exits with exitCode at once
	stubborn     = "stubborn" // ignores SIGTERM
	exitCode     = 7
)

// BuildWorker compiles the suite's worker into dir as a static program for this machine's architecture and returns its path. It
// serves HTTP on $PORT, or on the address after --listen, as the worker inside understudy does.
// Beyond what Exercise needs it answers /env, /write?path=, /dial?address= and /user, for tests of what a driver lets a worker do.
func BuildWorker(dir, goos string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	path := filepath.Join(dir, "worker")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	cmd.Dir = filepath.Join(filepath.Dir(here), "testdata", "worker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the tests' worker: %v\n%s", err, out)
	}
	return path, nil
}

// WorkerPlan is the Plan of a Fake whose workers are to behave as those of BuildWorker do.
func WorkerPlan(spec driver.Spec) Plan {
	p := Plan{Logs: []string{"worker " + spec.Worker + " starts"}}
	switch {
	case slices.Contains(spec.Env, behaviourKey+"="+exits):
		p.Logs = append(p.Logs, "last words")
		p.Exit, p.ExitCode = true, exitCode
	case slices.Contains(spec.Env, behaviourKey+"="+stubborn):
		p.StopDelay = 1 << 62
	}
	return p
}

// WorkerHandler is what a worker of fake serves when it is to behave as those of BuildWorker do.
func WorkerHandler(fake *Fake, spec driver.Spec) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.FormValue("code"))
		fake.Kill(spec.Worker, code)
		panic(http.ErrAbortHandler) // a process that ends answers nothing
	})
	mux.HandleFunc("/say", func(_ http.ResponseWriter, r *http.Request) {
		fake.Print(spec.Worker, r.FormValue("line"))
	})
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, kv := range spec.Env {
			if identity, ok := strings.CutPrefix(kv, "UNDERSTUDY_IDENTITY="); ok {
				w.Header().Set(IdentityHeader, identity)
			}
		}
		mux.ServeHTTP(w, r)
	})
}
