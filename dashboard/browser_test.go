package dashboard_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds every wait for the page. It is never waited in full when the page works.
const patience = 60 * time.Second

// browser is one tab, and what went wrong in it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string
}

// newBrowser starts Chromium. Where there is none the test fails if tools are required; else it yields nil.
func newBrowser(t *testing.T, width, height int) *browser {
	t.Helper()
	if !haveChromium(t) {
		return nil
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height))
	allocator, stopAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	b.do(chromedp.EmulateViewport(int64(width), int64(height)))
	bounded, cancel := context.WithTimeout(ctx, 3*patience)
	b.ctx = bounded
	var hearing sync.WaitGroup
	messages := chromedp.Console(bounded)
	hearing.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.hear(m)
		}
	})
	t.Cleanup(func() { cancel(); hearing.Wait(); stop(); stopAllocator() })
	return b
}

func haveChromium(t *testing.T) bool {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	if os.Getenv("UNDERSTUDY_REQUIRE_TOOLS") != "" {
		t.Fatal("there is no Chromium, and UNDERSTUDY_REQUIRE_TOOLS says there must be")
	}
	t.Log("there is no Chromium here: the page is not looked at")
	return false
}

// hear collects whatever a person would find amiss in the browser's console.
func (b *browser) hear(m chromedp.ConsoleMessage) {
	if m.Type != chromedp.ConsoleWarning && m.Type != chromedp.ConsoleError && !m.IsException() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = append(b.troubles, fmt.Sprint(m.Type, ": ", m.Text, " ", m.URL))
}

// open shows a page. Chromium drops what it loads when the host's networks change, as they do while somebody's containers start; then the
// page is asked for again.
func (b *browser) open(url string) {
	b.t.Helper()
	for range 20 {
		b.do(chromedp.Navigate(url))
		if b.text(`document.styleSheets.length > 0 && (document.body.dataset.begun === 'yes' || !!document.getElementById('login'))`) == "true" {
			return
		}
	}
	b.t.Fatal("the page does not begin")
}

// clean fails the test when the console has anything but what is expected.
func (b *browser) clean(expected ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, text := range b.troubles {
		for _, e := range append(expected, "ERR_NETWORK_CHANGED") {
			if strings.Contains(text, e) {
				continue next
			}
		}
		b.t.Errorf("the browser says: %s", text)
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// script runs something in the page.
func (b *browser) script(expression string) { b.text("(" + expression + ", '')") }

// until waits for an expression to hold; the page is looked at whenever it draws. A page that is left meanwhile is asked again.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	for {
		_, err := chromedp.Run(b.ctx, chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingTimeout(patience)))
		if err == nil {
			return
		}
		if strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "Cannot find context") {
			continue
		}
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.mu.Lock()
		defer b.mu.Unlock()
		b.t.Fatalf("%s: %v\nconsole: %q\nthe page:\n%s", what, err, b.troubles, text)
	}
}

// text is what an expression says.
func (b *browser) text(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}
