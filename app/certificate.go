package app

import (
	"context"
	"log/slog"

	"understudy/config"
)

// watchCertificate renews the certificate whenever its files have changed, as whoever renews certificates changes them: without a word.
func (a *App) watchCertificate(ctx context.Context) {
	watcher := config.NewWatcherOf(func() []string {
		if t := a.current().TLS; t.On() {
			return []string{t.Cert, t.Key}
		}
		return nil
	})
	a.renewCertificate() // what changed since it was first loaded
	watcher.Run(ctx, a.renewCertificate)
}

// renewCertificate brings the pair in the files into force, unless it cannot be used: then the one before stays.
func (a *App) renewCertificate() {
	if err := a.balancer.LoadCertificate(a.current().TLS); err != nil {
		a.Log.Error("the new certificate is refused, the old one stays in force", slog.Any("error", err))
	}
}
