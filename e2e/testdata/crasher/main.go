// Crasher is a worker that ends at once, for tests.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cannot find the model")
	os.Exit(3)
}
