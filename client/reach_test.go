package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func quietServer(secure bool) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	return s
}

func TestWhoIsTrustedAtASecureTarget(t *testing.T) {
	secure, plain := quietServer(true), quietServer(false)
	defer secure.Close()
	defer plain.Close()
	own := x509.NewCertPool()
	own.AddCert(secure.Certificate())
	for _, c := range []struct {
		name, target string
		trust        *tls.Config
		say          string // empty: all went well
	}{
		{"as the system does", secure.URL, nil, "nobody trusted here vouches for"},
		{"its own certificate", secure.URL, &tls.Config{RootCAs: own}, ""},
		{"another name", secure.URL, &tls.Config{RootCAs: own, ServerName: "other.test"}, "use a name it is for"},
		{"whoever it is", secure.URL, &tls.Config{InsecureSkipVerify: true}, ""},
		{"versions that differ", secure.URL, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS11}, "no TLS connection"},
		{"no TLS there", "https" + strings.TrimPrefix(plain.URL, "http"), nil, "did you mean http://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := Run(t.Context(), Options{Target: c.target, N: 3, TLS: c.trust, Unverified: true}, nil)
			switch {
			case c.say == "" && (err != nil || report.Count != 3 || report.Errors != 0):
				t.Errorf("%+v, %v", report, err)
			case c.say != "" && (report != nil || !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), c.say)):
				t.Errorf("%v, want %q", err, c.say)
			}
		})
	}
}

func TestTrustIsOfNoUseWithoutTLS(t *testing.T) {
	for _, target := range []string{"", "http://127.0.0.1:1"} {
		if err := (Options{Target: target, TLS: &tls.Config{}}).Validate(); err == nil || !strings.Contains(err.Error(), "https:// target only") {
			t.Errorf("%q: %v", target, err)
		}
	}
	if err := (Options{Target: "HTTPS://127.0.0.1", TLS: &tls.Config{}}).Validate(); err != nil {
		t.Error(err)
	}
}
