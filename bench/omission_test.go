package main

import "testing"

func TestWhatHeySaysIsRead(t *testing.T) {
	got, err := readHey(`
Latency distribution:
  90% in 0.0012 secs
  95% in 0.0020 secs
  99% in 0.9736 secs

Status code distribution:
  [200]	2760 responses
`)
	if want := (quantiles{2760, 2, 973.6}); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if _, err := readHey("Error distribution:\n"); err == nil {
		t.Error("a report without answers is no error")
	}
}
