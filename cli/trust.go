package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/spf13/pflag"
)

// trustFlags say which certificates of an https target are believed.
type trustFlags struct {
	ca       string
	insecure bool
}

func (f *trustFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.ca, "ca", "", "PEM FILE with a certificate to trust at an https target, beside the system's; a self-signed one is its own")
	fs.BoolVar(&f.insecure, "insecure", false, "do not check the certificate of an https target")
}

// config is nil where the system's word is enough.
func (f *trustFlags) config() (*tls.Config, error) {
	if f.insecure {
		return &tls.Config{InsecureSkipVerify: true}, nil
	}
	if f.ca == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil { // a system without any
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca %s holds no certificate: it must have at least one, as PEM (-----BEGIN CERTIFICATE-----)", f.ca)
	}
	return &tls.Config{RootCAs: roots}, nil
}
