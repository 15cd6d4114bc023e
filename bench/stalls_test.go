package main

import (
	"testing"
	"time"
)

func TestARequestWaitsForTheRestOfTheStallItFallsInto(t *testing.T) {
	s := stalls{lasts: time.Second, every: 10 * time.Second}
	for at, want := range map[time.Duration]time.Duration{
		0: time.Second, 300 * time.Millisecond: 700 * time.Millisecond, time.Second: 0, 9 * time.Second: 0,
		20 * time.Second: time.Second, 20900 * time.Millisecond: 100 * time.Millisecond,
	} {
		if got := s.left(at); got != want {
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
}

// One request in ten falls into a stall and the waits there are even, so 1 % wait for at least 0.9 s.
func TestTheTruePercentilesFollowFromTheScheduleAlone(t *testing.T) {
	s := stalls{lasts: time.Second, every: 10 * time.Second}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0.50, 0}, {0.90, 0}, {0.95, 500 * time.Millisecond}, {0.99, 900 * time.Millisecond}, {0.999, 990 * time.Millisecond}, {1, time.Second}} {
		if got := s.quantile(c.q, 100, 30*time.Second); got != c.want {
			t.Errorf("quantile %v: %v, want %v", c.q, got, c.want)
		}
	}
}

func TestWhereInAPeriodTheLoadBeginsHardlyMatters(t *testing.T) {
	s := stalls{lasts: time.Second, every: 10 * time.Second}
	at0 := s.quantile(0.99, 100, 30*time.Second)
	for _, phase := range []time.Duration{300 * time.Millisecond, 999 * time.Millisecond, 5 * time.Second} {
		late := 0 // requests of 3000 that wait longer than at0 says
		for n := range 3000 {
			if s.left(phase+time.Duration(n)*10*time.Millisecond) > at0 {
				late++
			}
		}
		if late < 26 || late > 30 {
			t.Errorf("begun %v into a period, %d of 3000 wait longer than %v", phase, late, at0)
		}
	}
}
