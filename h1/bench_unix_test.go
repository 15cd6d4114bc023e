//go:build unix

package h1

import (
	"net"
	"testing"
)

// BenchmarkQuiet is what a look at an idle connection costs: one system call.
func BenchmarkQuiet(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	c := NewConn(near)
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if !c.Quiet() {
			b.Fatal("it is not")
		}
	}
}
