package balancer

import (
	"bytes"
	"crypto/tls"
	"log/slog"

	"understudy/config"
)

// LoadCertificate reads the pair that clients' connections are encrypted with from its files, for connections from now on; without files they
// are not encrypted. It may be called again at any time: a pair that cannot be used is refused, and what was in force stays. The error is a
// *config.PairError.
func (b *Balancer) LoadCertificate(t config.TLS) error {
	if !t.On() {
		b.tls.Store(nil)
		return nil
	}
	pair, err := t.Pair()
	if err != nil {
		return err
	}
	next := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: t.Version(), NextProtos: []string{"h2", "http/1.1"}}
	if old := b.tls.Load(); old != nil && old.MinVersion == next.MinVersion && sameChain(old.Certificates[0], pair) {
		return nil // what is in force keeps the keys that let clients resume
	}
	b.tls.Store(next)
	b.log.Info("TLS certificate in force", slog.String("file", t.Cert), slog.String("subject", pair.Leaf.Subject.String()),
		slog.Any("names", pair.Leaf.DNSNames), slog.Time("until", pair.Leaf.NotAfter))
	return nil
}

func sameChain(a, b tls.Certificate) bool {
	if len(a.Certificate) != len(b.Certificate) {
		return false
	}
	for i := range a.Certificate {
		if !bytes.Equal(a.Certificate[i], b.Certificate[i]) {
			return false
		}
	}
	return true
}
