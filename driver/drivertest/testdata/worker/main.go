// Command worker is what the drivers' tests start: an HTTP server that answers with the identity it was given, and that
// does on demand what workers should not.
package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	fmt.Println("worker", os.Getenv("UNDERSTUDY_WORKER"), "starts")
	switch os.Getenv("EXERCISE_BEHAVIOUR") {
	case "nothing":
		os.Exit(0)
	case "exit":
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(7)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/exit", exit)
	mux.HandleFunc("/say", say)
	mux.HandleFunc("/env", env)
	mux.HandleFunc("/write", write)
	mux.HandleFunc("/dial", dial)
	mux.HandleFunc("/user", user)
	mux.HandleFunc("/read", read)
	mux.HandleFunc("/mkdir", mkdir)
	mux.HandleFunc("/execute", execute)
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: address(), Handler: identified(mux), ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// address is that of --listen, or every address at $PORT.
func address() string {
	for i, arg := range os.Args {
		if arg == "--listen" && i+1 < len(os.Args) {
			return os.Args[i+1]
		}
	}
	return ":" + os.Getenv("PORT")
}

func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Understudy-Identity", os.Getenv("UNDERSTUDY_IDENTITY"))
		next.ServeHTTP(w, r)
	})
}

// exit ends the worker with the code asked for.
func exit(_ http.ResponseWriter, r *http.Request) {
	code, _ := strconv.Atoi(r.FormValue("code"))
	os.Exit(code)
}

// say prints a line.
func say(_ http.ResponseWriter, r *http.Request) { fmt.Println(r.FormValue("line")) }

// env answers the environment and the arguments, a line each.
func env(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, strings.Join(append(os.Environ(), os.Args[1:]...), "\n"))
}

// write tries to write a file and answers why it could not.
func write(w http.ResponseWriter, r *http.Request) {
	if err := os.WriteFile(r.FormValue("path"), []byte("x"), 0o644); err != nil {
		fmt.Fprint(w, err)
	}
}

// dial tries to open a connection, by TCP unless it says network=udp, and to say a word, and answers why it could not.
func dial(w http.ResponseWriter, r *http.Request) {
	conn, err := net.DialTimeout(cmp.Or(r.FormValue("network"), "tcp"), r.FormValue("address"), 500*time.Millisecond)
	if err != nil {
		fmt.Fprint(w, err)
		return
	}
	fmt.Fprint(conn, os.Getenv("UNDERSTUDY_IDENTITY"))
	conn.Close()
}

// user answers user and group id.
func user(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%d:%d", os.Getuid(), os.Getgid()) }

// read answers what is in a file, or why it cannot be read.
func read(w http.ResponseWriter, r *http.Request) {
	content, err := os.ReadFile(r.FormValue("path"))
	if err != nil {
		content = []byte(err.Error())
	}
	w.Write(content)
}

// mkdir tries to make a folder and answers why it could not.
func mkdir(w http.ResponseWriter, r *http.Request) {
	if err := os.Mkdir(r.FormValue("path"), 0o755); err != nil {
		fmt.Fprint(w, err)
	}
}

// execute tries to run a copy of this program in a folder and answers why it could not.
func execute(w http.ResponseWriter, r *http.Request) {
	own, err := os.ReadFile("/proc/self/exe")
	path := r.FormValue("dir") + "/copy"
	if err == nil {
		err = os.WriteFile(path, own, 0o755)
	}
	if err == nil {
		cmd := exec.CommandContext(r.Context(), path)
		cmd.Env = []string{"EXERCISE_BEHAVIOUR=nothing"}
		err = cmd.Run()
	}
	if err != nil {
		fmt.Fprint(w, err)
	}
}
