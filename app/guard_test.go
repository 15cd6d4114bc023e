package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
)

func guarded(t *testing.T, o GuardOptions, pipe io.Reader) (swept int, err error) {
	t.Helper()
	fake := drivertest.NewFake(drivertest.FakeOptions{})
	err = Guard(t.Context(), pipe, o, func(context.Context) (driver.Driver, error) { return fake, nil })
	return len(fake.Calls("sweep")), err
}

func TestAGuardCleansUpAfterABalancerThatDiedWithoutASuccessor(t *testing.T) {
	swept, err := guarded(t, GuardOptions{Instance: "x", Wait: time.Millisecond, LockDir: t.TempDir()}, strings.NewReader(""))
	if swept != 1 || err != nil {
		t.Errorf("%d sweeps, %v", swept, err)
	}
}

func TestAGuardLeavesABalancerAloneThatSaidBye(t *testing.T) {
	swept, err := guarded(t, GuardOptions{Instance: "x", Wait: time.Millisecond, LockDir: t.TempDir()}, strings.NewReader(guardBye))
	if swept != 0 || err != nil {
		t.Errorf("%d sweeps, %v", swept, err)
	}
}

func TestAGuardLeavesASuccessorAlone(t *testing.T) {
	dir := t.TempDir()
	successor, err := TakeLock(dir, "docker", "x", "successor")
	if err != nil {
		t.Fatal(err)
	}
	defer successor.Release()
	swept, err := guarded(t, GuardOptions{Instance: "x", Wait: time.Millisecond, LockDir: dir}, strings.NewReader(""))
	if swept != 0 || err != nil {
		t.Errorf("%d sweeps, %v", swept, err)
	}
}

func TestAGuardTriesAgainWhileTheEngineIsAway(t *testing.T) {
	fake := drivertest.NewFake(drivertest.FakeOptions{})
	fake.FailNext("sweep", errors.New("away"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(fake.Calls("sweep")) == 0 { // it has failed once: what it waits for now is tested to end with its context
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
	}()
	err := sweepAll(ctx, fake)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it gave up with %v", err)
	}
}
