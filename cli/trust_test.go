package cli

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestACertificateIsTrustedWhenTheClientIsToldSo(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	good := inFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{nil, exitFailed, "trust whoever does with --ca FILE, or check nothing with --insecure"},
		{[]string{"--ca", good}, exitOK, ""},
		{[]string{"--insecure"}, exitOK, ""},
		{[]string{"--ca", good, "--insecure"}, exitUsage, "--ca and --insecure exclude each other"},
		{[]string{"--ca", ""}, exitUsage, "--ca is empty"},
		{[]string{"--ca", filepath.Join(t.TempDir(), "none")}, exitUsage, "no such file"},
		{[]string{"--ca", inFile(t, "empty.pem", "-----BEGIN CERTIFICATE-----\n")}, exitUsage, "holds no certificate"},
		{[]string{"--insecure", "--target", "http://127.0.0.1:1"}, exitUsage, "https:// target only"},
	} {
		code, out, err := run(t, nil, append([]string{"client", "--quiet", "-n", "2", "--no-verify", "--target", server.URL}, c.args...)...)
		if code != c.code || !strings.Contains(err, c.say) || strings.Count(err, "\n") > 1 || code == exitOK && !strings.Contains(out, "200: 2") {
			t.Errorf("%q: %d, want %d\n%s\n%s", c.args, code, c.code, out, err)
		}
	}
}
