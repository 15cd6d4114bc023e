package config

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"understudy/config/pairtest"
)

func TestRulesOfTLS(t *testing.T) {
	const (
		ofCert = "; legal: a readable PEM file with the certificate, followed by those that vouch for it"
		ofKey  = "; legal: a readable PEM file with the private key of that certificate, without a passphrase"
	)
	dir, other := t.TempDir(), t.TempDir()
	cert, key := pairtest.Files(t, dir, "a")
	_, stranger := pairtest.Files(t, other, "b")
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	empty, huge := file("empty", ""), file("huge", strings.Repeat("x", 1<<20+1))
	broken := file("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ cert, key, more, want string }{
		{cert, key, "", ""},
		{"", "", ", min_version: '1.3'", ""},
		{"", "", ", min_version: 1.1", `tls.min_version: "1.1" is none of these; legal: 1.2, 1.3`},
		{cert, "", "", "tls.key: is missing, but tls.cert is set" + ofKey},
		{"", key, "", "tls.cert: is missing, but tls.key is set" + ofCert},
		{dir + "/none", key, "", `tls.cert: "` + dir + `/none" cannot be read: no such file or directory` + ofCert},
		{cert, dir + "/none", "", `tls.key: "` + dir + `/none" cannot be read: no such file or directory` + ofKey},
		{dir, key, "", `tls.cert: "` + dir + `" is not a file` + ofCert},
		{cert, pipe, "", `tls.key: "` + pipe + `" is not a file` + ofKey},
		{empty, key, "", `tls.cert: "` + empty + `" has no certificate in it` + ofCert},
		{key, key, "", `tls.cert: "` + key + `" has no certificate in it` + ofCert},
		{broken, key, "", `tls.cert: "` + broken + `" has a certificate that is none: malformed certificate` + ofCert},
		{huge, key, "", `tls.cert: "` + huge + `" is too large to be one` + ofCert},
		{cert, empty, "", `tls.key: "` + empty + `" cannot be used: failed to find any PEM data in key input` + ofKey},
		{cert, stranger, "", `tls.key: "` + stranger + `" cannot be used: private key does not match public key` + ofKey},
	} {
		var want []string
		if c.want != "" {
			want = []string{"1: " + c.want}
		}
		got := problemsOf(t, "tls: {cert: '"+c.cert+"', key: '"+c.key+"'"+c.more+"}")
		if !slices.Equal(got, want) {
			t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

func TestThePairIsTheOneInTheFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key := pairtest.Files(t, dir, "me")
	cfg, err := Load(Source{Env: []string{"UNDERSTUDY_TLS_CERT=" + cert, "UNDERSTUDY_TLS_KEY=" + key}})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := cfg.TLS.Pair()
	if err != nil || pair.Leaf.Subject.CommonName != "me" || !cfg.TLS.On() || cfg.TLS.Version() != tls.VersionTLS12 {
		t.Errorf("got %+v, %v", pair.Leaf, err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	_, err = cfg.TLS.Pair()
	if wrong, ok := errors.AsType[*PairError](err); !ok || wrong.Key != "tls.key" || !strings.HasPrefix(err.Error(), `tls.key: "`+key+`" cannot be read`) {
		t.Errorf("got %v", err)
	}
	if (TLS{}).On() || (TLS{MinVersion: "1.3"}).Version() != tls.VersionTLS13 {
		t.Error("what is off is on, or 1.3 is not 1.3")
	}
}
