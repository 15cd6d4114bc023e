package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"understudy/client"
)

// A short open loop against a server, with the promises it is to keep.
func ExampleRun() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "done")
	}))
	defer server.Close()

	promises, err := client.ParseAssertions("errors=0,count=20,p99<1m")
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := client.Run(context.Background(), client.Options{
		Target:   server.URL,
		Rate:     200,
		Duration: 100 * time.Millisecond,
		Mix:      client.Mix{{Capability: "pdf", Weight: 1}},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Count, "requests,", report.Errors, "errors, broken promises:", client.Failed(promises, report))
	// Output: 20 requests, 0 errors, broken promises: []
}

func ExampleParseMix() {
	_, err := client.ParseMix("mult=2,add=many")
	fmt.Println(err)
	// Output: mix "mult=2,add=many", character 12: the weight "many" is not a number more than 0 and at most 1000000; legal is capability=weight, as in mult=2,add=1
}

func ExampleNewPacer() {
	step := client.NewPacer(client.ShapeStep, 100, time.Minute)
	for _, second := range []time.Duration{0, 15, 55} {
		fmt.Println(step.Rate(second * time.Second))
	}
	fmt.Println(step.Hits(time.Minute))
	// Output:
	// 20
	// 100
	// 20
	// 2640
}
