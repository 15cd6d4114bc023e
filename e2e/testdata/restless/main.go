// Command restless is a worker that burns a fiftieth of a core while it is idle, as runtimes with housekeeping do. Its answers begin at once and
// last for a while.
package main

import (
	"net/http"
	"os"
	"time"
)

const (
	every = 100 * time.Millisecond
	busy  = 2 * time.Millisecond
	lasts = 15 * time.Second
)

func main() {
	go func() {
		for range time.Tick(every) {
			for began := time.Now(); time.Since(began) < busy; {
			}
		}
	}()
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/task/", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush() // whoever left does not wait
		over := time.NewTimer(lasts)
		defer over.Stop()
		select {
		case <-over.C:
		case <-r.Context().Done():
		}
	})
	err := http.ListenAndServe(":"+os.Getenv("PORT"), nil)
	println(err.Error())
	os.Exit(1)
}
