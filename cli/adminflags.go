package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// adminFlags say which balancer a command talks to.
type adminFlags struct{ address, secret string }

func (a *adminFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.address, "admin", "http://127.0.0.1:8081", "the balancer's admin address")
	cmd.Flags().StringVar(&a.secret, "token", "", "its admin token (default $UNDERSTUDY_ADMIN_TOKEN)")
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
