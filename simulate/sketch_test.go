package simulate

import (
	"os"
	"testing"
	"time"
)

func TestSketch(t *testing.T) {
	for _, w := range Workloads() {
		l, err := FromWorkload(w, 0, nil)
		if err != nil { t.Fatal(err) }
		at := time.Now()
		r, err := Run(t.Context(), Options{Load: l, Seed: 1, Policies: []string{"naive"}})
		if err != nil { t.Fatal(err) }
		r.WriteText(os.Stdout)
		t.Log(time.Since(at))
	}
}
