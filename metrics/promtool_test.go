package metrics

import (
	"os"
	"os/exec"
	"testing"
)

// TestPrometheusFindsNothingToSay: promtool reads what is scraped, and knows the habits of good names.
func TestPrometheusFindsNothingToSay(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("UNDERSTUDY_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed: apt-get install prometheus")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = scrape(large(), "identity").Body
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
