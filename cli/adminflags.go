package cli

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// adminFlags say which balancer a command talks to.
type adminFlags struct{ address, secret string }

func (a *adminFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.address, "admin", "http://127.0.0.1:8081", "the balancer's admin address")
	cmd.Flags().StringVar(&a.secret, "token", "", "its admin token (default $UNDERSTUDY_ADMIN_TOKEN)")
	cmd.PreRunE = func(*cobra.Command, []string) error { return a.check() }
}

// check refuses what can be nobody's address.
func (a adminFlags) check() error {
	u, err := url.Parse(a.url())
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.Port() != "0" {
		if _, err = net.LookupPort("tcp", cmp.Or(u.Port(), "80")); err == nil {
			return nil
		}
	}
	return usageError{fmt.Errorf("--admin is %q: it must be HOST:PORT or http://HOST:PORT, such as http://127.0.0.1:8081", a.address)}
}

// url accepts HOST:PORT too, as the balancer's own --admin has it.
func (a adminFlags) url() string {
	if strings.Contains(a.address, "://") {
		return strings.TrimSuffix(a.address, "/")
	}
	return "http://" + a.address
}

func (a adminFlags) token(env []string) string {
	if a.secret != "" {
		return a.secret
	}
	return getenv(env, "UNDERSTUDY_ADMIN_TOKEN")
}
