package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// TLS is what clients' connections are encrypted with. Without files they are not.
type TLS struct {
	Cert       string `mapstructure:"cert"` // path of a PEM file: the certificate, then its chain; empty: no TLS, and no Key either
	Key        string `mapstructure:"key"`  // path of a PEM file
	MinVersion string `mapstructure:"min_version"`
}

// On tells whether clients must speak TLS.
func (t TLS) On() bool { return t.Cert != "" }

// Version is the lowest version of TLS that is spoken, as crypto/tls counts them.
func (t TLS) Version() uint16 {
	if t.MinVersion == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

// PairError tells which of the two files is at fault, and why.
type PairError struct {
	Key   string // tls.cert or tls.key
	File  string
	Wrong string
	legal string
}

func (e *PairError) Error() string {
	return fmt.Sprintf("%s: %q %s; legal: %s", e.Key, e.File, e.Wrong, e.legal)
}

const (
	legalCert = "a readable PEM file with the certificate, followed by those that vouch for it"
	legalKey  = "a readable PEM file with the private key of that certificate, without a passphrase"
)

// Pair reads the certificate and its key. The error is a *PairError.
func (t TLS) Pair() (tls.Certificate, error) {
	cert, err := readPEM(t.Cert)
	if err == nil {
		err = judgeCertificate(cert)
	}
	if err != nil {
		return tls.Certificate{}, &PairError{"tls.cert", t.Cert, err.Error(), legalCert}
	}
	key, err := readPEM(t.Key)
	if err != nil {
		return tls.Certificate{}, &PairError{"tls.key", t.Key, err.Error(), legalKey}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil { // never the certificate's fault: that was judged
		return tls.Certificate{}, &PairError{"tls.key", t.Key, "cannot be used: " + strings.TrimPrefix(err.Error(), "tls: "), legalKey}
	}
	return pair, nil
}

// mostPEM is more than any chain needs.
const mostPEM = 1 << 20

// readPEM reads plain files only: a pipe or a device might never end.
func readPEM(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, errors.New("cannot be read: " + reason(err))
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a file")
	case info.Size() > mostPEM:
		return nil, errors.New("is too large to be one")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.New("cannot be read: " + reason(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostPEM))
	if err != nil {
		return nil, errors.New("cannot be read: " + reason(err))
	}
	return text, nil
}

// judgeCertificate looks at the first certificate in a PEM text.
func judgeCertificate(text []byte) error {
	for {
		block, rest := pem.Decode(text)
		switch {
		case block == nil:
			return errors.New("has no certificate in it")
		case block.Type == "CERTIFICATE":
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return errors.New("has a certificate that is none: " + strings.TrimPrefix(err.Error(), "x509: "))
			}
			return nil
		}
		text = rest
	}
}

// tls judges the files too, so that a certificate that cannot work is found before anything depends on it.
func (c check) tls(t TLS) {
	c.oneOf("tls.min_version", t.MinVersion, "1.2", "1.3")
	switch {
	case t.Cert == "" && t.Key == "":
	case t.Cert == "":
		c.bad("tls.cert", nil, "is missing, but tls.key is set", legalCert)
	case t.Key == "":
		c.bad("tls.key", nil, "is missing, but tls.cert is set", legalKey)
	default:
		_, err := t.Pair()
		if wrong, ok := errors.AsType[*PairError](err); ok {
			c.bad(wrong.Key, wrong.File, wrong.Wrong, wrong.legal)
		}
	}
}
