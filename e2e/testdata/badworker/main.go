// Badworker is a worker that misbehaves as the variable MODE says, for tests. Without it, it serves.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	mode := os.Getenv("MODE")
	after, _ := time.ParseDuration(os.Getenv("AFTER"))
	fmt.Println("I am", mode)
	switch mode {
	case "exit": // at once
		fmt.Fprintln(os.Stderr, "cannot find the \x1b[2Jmodel")
		os.Exit(3)
	case "deaf": // never listens
		<-time.After(24 * time.Hour)
	case "late": // listens after a while
		<-time.After(after)
	case "stubborn": // hears no request to end
		signal.Ignore(syscall.SIGTERM)
	case "chatty":
		chat(os.Getenv("MEGABYTES"))
	}
	began := time.Now()
	identity := os.Getenv("UNDERSTUDY_IDENTITY")
	if mode == "stranger" {
		identity = "somebody else"
	}
	go serveFor(mode, after)
	err := http.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if mode == "hang" && time.Since(began) > after {
			<-r.Context().Done()
		}
		w.Header().Set("X-Understudy-Identity", identity)
		fmt.Fprintln(w, "served")
	}))
	fmt.Println(err)
	os.Exit(1)
}

// serveFor ends a worker that serves well for a while.
func serveFor(mode string, after time.Duration) {
	<-time.After(after)
	switch mode {
	case "brief":
		fmt.Println("that was all")
		os.Exit(0)
	case "hungry":
		fmt.Println("and now for something larger")
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
			if len(all) == 256 { // on an engine that bounds nothing
				os.Exit(4)
			}
		}
	}
}

// chat prints so many megabytes: lines of 1 MB, bytes that are no text, and sequences that a terminal obeys.
func chat(megabytes string) {
	n, _ := strconv.Atoi(megabytes)
	line := append(bytes.Repeat([]byte("x"), 1<<20), '\n')
	for range n {
		os.Stdout.Write(line)
	}
	for i := range 256 {
		os.Stdout.Write([]byte{byte(i)})
	}
	fmt.Print("\n\x1b]0;owned\x07\x1b[2J\u009b31m\u202eevil\nlast words\n")
}
