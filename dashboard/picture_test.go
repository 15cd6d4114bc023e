//go:build figures

package dashboard_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPicture takes the picture of the README: a real demo under load, with the balancer of UNDERSTUDY_BIN. PICTURE is the file it writes.
func TestPicture(t *testing.T) {
	bin, file := os.Getenv("UNDERSTUDY_BIN"), os.Getenv("PICTURE")
	if bin == "" || file == "" {
		t.Fatal("UNDERSTUDY_BIN must name the program, PICTURE the file to write")
	}
	admin := freeAddress(t)
	demo := exec.Command(bin, "demo", "--listen", freeAddress(t), "--admin", admin, "--instance", "picture", "--duration", "90s", "--driver", envOr("DRIVER", "auto"))
	demo.Stderr = os.Stderr
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		demo.Process.Signal(syscall.SIGTERM)
		demo.Wait() // it was interrupted, and says so
	}()
	b := newBrowser(t, 1200, 900)
	if b == nil {
		t.Fatal("a picture needs Chromium")
	}
	awaitListener(t, admin)
	b.open("http://" + admin + "/")
	for _, second := range []int{40, 80} { // the load is low, high, and low again; no single wait may be longer than patience
		const up = `/up(?:(\d+) m )?(\d+) s/.exec(document.getElementById('facts').textContent) ?? []`
		b.until("the rise and the fall of the load", fmt.Sprintf(`(([, m, s]) => 60 * (m ?? 0) + Number(s) >= %d)(%s)`, second, up))
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s has %d KiB", file, len(picture)>>10)
}
