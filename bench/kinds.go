package main

import "strings"

// kindOf says what a stack was doing, its innermost function first. The collector, system calls and the scheduler count as such whoever
// they worked for. For the rest the nearest function that somebody has a word for decides, so that a map access or an allocation counts
// where it was made.
func kindOf(stack []string) string {
	whole := strings.Join(stack, "\n") + "\n"
	for _, r := range anywhere() {
		for _, w := range r.words {
			if strings.Contains(whole, w) {
				return r.kind
			}
		}
	}
	for _, function := range stack {
		for _, r := range nearest() {
			for _, w := range r.words {
				if strings.HasPrefix(function, w) {
					return r.kind
				}
			}
		}
	}
	return "other"
}

// rule gives a kind to what one of its words fits.
type rule struct {
	kind  string
	words []string
}

// anywhere are the rules that a word anywhere in a stack decides, in the order of how little doubt they leave.
func anywhere() []rule {
	return []rule{
		{"garbage collection", []string{
			"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.deductSweepCredit",
			"runtime.gcWriteBarrier", "runtime.wbBufFlush",
		}},
		{"kernel: read", []string{"syscall.read\n", "syscall.Read", "syscall.recv", "syscall.readv"}},
		{"kernel: write", []string{"syscall.write\n", "syscall.Write", "syscall.send", "syscall.writev"}},
		{"scheduler and netpoll", []string{
			"runtime.schedule", "runtime.findRunnable", "runtime.mcall", "runtime.futex", "runtime.netpoll", "runtime.ready", "runtime.goready", "runtime.wakep",
			"runtime.gopark", "runtime.mstart", "runtime.sysmon", "runtime.newproc", "runtime.goexit0", "runtime.chansend", "runtime.chanrecv", "runtime.selectgo",
			"runtime.morestack", "runtime.newstack",
		}},
		{"kernel: the rest", []string{"internal/runtime/syscall", "syscall.Syscall", "syscall.RawSyscall"}},
	}
}

// nearest are the rules that the beginning of the innermost function with a word decides.
func nearest() []rule {
	return []rule{
		{"metrics", []string{"understudy/metrics", "github.com/prometheus/", "understudy/meter"}},
		{"fleet", []string{"understudy/fleet"}},
		{"logging", []string{"log/slog"}},
		{"parsing", []string{
			"net/http.readRequest", "net/http.(*conn).readRequest", "net/http.ReadResponse", "net/http.readTransfer", "net/http.parse", "net/textproto.", "net/url.",
			"understudy/h1.(*reader)", "understudy/h1.(*requestHead)", "understudy/h1.parse", "understudy/h1.(*Server).look",
			"understudy/balancer.(*exchange).screen", "understudy/balancer.(*said)",
		}},
		{"header building", []string{
			"net/http.Header.", "net/http.(*Request).write", "net/http.(*response).WriteHeader", "net/http.(*chunkWriter)", "net/http.extraHeader",
			"net/http.(*transferWriter)", "understudy/h1.append", "understudy/h1.Append", "understudy/h1.(*response).WriteFields",
			"understudy/balancer.(*exchange).appendHead", "understudy/balancer.(*attempt).appendRequest", "understudy/balancer.setFields",
		}},
		{"timers and contexts", []string{"context.", "time.", "runtime.(*timer"}},
		{"net and net/http", []string{"net/http.", "bufio.", "internal/poll.", "net.", "io.Copy", "io.copy"}},
		{"balancer", []string{"understudy/balancer."}},
		{"h1, the rest", []string{"understudy/h1."}},
	}
}
