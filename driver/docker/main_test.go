package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/driver"
	"understudy/driver/drivertest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "understudy-docker-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path, err := drivertest.BuildWorker(dir, "linux")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv(workerKey, path)
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// workerKey is the environment variable that holds the path of the tests' worker.
const workerKey = "UNDERSTUDY_TEST_WORKER"

// testWorker is the path of the static program that the tests' worker images are made of.
func testWorker() string { return os.Getenv(workerKey) }

// realDriver is a driver on the real engine, for an instance of its own, everything of which is removed after the test. Without
// an engine the test is skipped, or fails where UNDERSTUDY_REQUIRE_DOCKER=1 says that there must be one.
func realDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New(t.Context(), Options{
		Instance: "test-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		Binary:   testWorker(),
		Log:      testLog(t),
	})
	if errors.Is(err, driver.ErrUnavailable) && os.Getenv("UNDERSTUDY_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if lines, err := d.Sweep(ctx, false); err != nil {
			t.Errorf("after the test, Sweep removed %q: %v", lines, err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("after the test, Close: %v", err)
		}
	})
	return d
}

func TestTheDriverPassesTheSuite(t *testing.T) {
	drivertest.Exercise(t, func(t *testing.T) drivertest.Harness {
		return drivertest.Harness{Driver: realDriver(t), Other: realDriver(t)}
	})
}

// has says whether text contains every one of the words.
func has(text string, words ...string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
