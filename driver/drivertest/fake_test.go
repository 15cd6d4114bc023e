package drivertest_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"understudy/driver"
	"understudy/driver/drivertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheFakePassesTheSuite(t *testing.T) {
	drivertest.Exercise(t, func(*testing.T) drivertest.Harness {
		return drivertest.Harness{Driver: servingFake(), Other: servingFake()}
	})
}

// servingFake is a Fake with real HTTP.
func servingFake() *drivertest.Fake {
	var fake *drivertest.Fake
	fake = drivertest.NewFake(drivertest.FakeOptions{
		Plan:  drivertest.WorkerPlan,
		Serve: func(spec driver.Spec) http.Handler { return drivertest.WorkerHandler(fake, spec) },
	})
	return fake
}
