//go:build figures

package dashboard_test

import (
	"net"
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
	b := newBrowser(t, 1280, 900)
	if b == nil {
		t.Fatal("a picture needs Chromium")
	}
	awaitListener(t, admin)
	b.open("http://" + admin + "/")
	b.until("a minute and more of load", `document.querySelectorAll('.story li.down').length > 0 || Number(/up(\d+) m (\d+) s/.exec(document.getElementById('facts').textContent)?.[2]) >= 24 && /1 m/.test(document.getElementById('facts').textContent)`)
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s has %d KiB", file, len(picture)>>10)
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// awaitListener returns when somebody listens.
func awaitListener(t *testing.T, address string) {
	t.Helper()
	for t.Context().Err() == nil {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
}
