package app

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestASecondBalancerOfTheSameInstanceIsToldWhoHoldsIt(t *testing.T) {
	dir := t.TempDir()
	first, err := TakeLock(dir, "docker", "default", "listens on 127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	_, err = TakeLock(dir, "docker", "default", "second")
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("got %v, want a LockedError", err)
	}
	for _, part := range []string{`"default"`, "listens on 127.0.0.1:8080", "process ", "--instance"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	other, err := TakeLock(dir, "docker", "other", "")
	if err != nil {
		t.Fatalf("another instance: %v", err)
	}
	other.Release()
	first.Release()
	again, err := TakeLock(dir, "docker", "default", "")
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	again.Release()
	again.Release()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestALockFileLeftByAnotherUserIsNoObstacle(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "understudy-docker-x.lock"), []byte("process 1 (old)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := TakeLock(dir, "docker", "x", "new")
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
}

func TestALockPathThatIsALinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(dir, "understudy-docker-x.lock")); err != nil {
		t.Fatal(err)
	}
	if l, err := TakeLock(dir, "docker", "x", ""); err == nil {
		l.Release()
		t.Fatal("followed a symbolic link")
	}
}

func TestOfManyWhoTryAtOnceOneGetsTheLockAtATime(t *testing.T) {
	dir := t.TempDir()
	var held, got atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			l, err := TakeLock(dir, "docker", "x", "")
			if err != nil {
				return
			}
			if held.Add(1) > 1 {
				t.Error("two hold it")
			}
			got.Add(1)
			runtime.Gosched()
			held.Add(-1)
			l.Release()
		})
	}
	wg.Wait()
	if got.Load() == 0 {
		t.Error("nobody got it")
	}
}
