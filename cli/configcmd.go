package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"understudy/config"
)

func (s session) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check or print the configuration",
		Example: "  understudy config check --config config.yaml\n  understudy config print",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(s.configCheckCommand(), s.configPrintCommand())
	return cmd
}

func (s session) configCheckCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Say everything that is wrong with the configuration",
		Example: "  understudy config check --config config.yaml",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := config.Load(f.source(s, cmd.Flags())); err != nil {
				return err
			}
			_, err := fmt.Fprintln(s.out, "the configuration is fine")
			return err
		},
	}
	f.register(cmd)
	return cmd
}

func (s session) configPrintCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:     "print",
		Short:   "Print the configuration in force, defaults filled in",
		Example: "  understudy config print --config config.yaml",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(f.source(s, cmd.Flags()))
			if err != nil {
				return err
			}
			text, err := config.Print(cfg)
			if err != nil {
				return err
			}
			_, err = s.out.Write(text)
			return err
		},
	}
	f.register(cmd)
	return cmd
}

// configFlags are the flags that configure a balancer. Those not given leave file, environment and defaults alone.
type configFlags struct{ file string }

func (c *configFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.file, "config", "", "YAML file (default: the configuration inside the program)")
	f.String("driver", "", "what runs workers: auto, docker or process")
	f.String("listen", "", "HOST:PORT for clients")
	f.String("admin", "", "HOST:PORT for status, metrics and control")
	f.String("instance", "", "name of this balancer on its engine")
	f.String("publish", "", "how workers are reached: loopback (a port of the host) or network (their containers' addresses)")
	f.String("on-exit", "", "remove the workers at the end, or leave them for the next start")
}

// registerLogs adds the flags for what is written, and can be looked at, while a balancer runs.
func (c *configFlags) registerLogs(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("log-level", "", "debug, info, warn or error (default info)")
	f.String("log-format", "", "text, json, or auto: text on a terminal and JSON elsewhere (default auto)")
	f.Bool("pprof", false, "profiles of this process at /debug/pprof/ on the admin address")
	f.String("log-access", "", "a line for each request on standard output: off, combined or json (default off)")
}

// load reads the configuration, and begins to watch its file before that, so that no change is missed.
func (c *configFlags) load(s session, flags *pflag.FlagSet) (*config.Config, config.Source, *config.Watcher, error) {
	var watcher *config.Watcher
	if c.file != "" {
		watcher = config.NewWatcher(c.file)
	}
	source := c.source(s, flags)
	cfg, err := config.Load(source)
	return cfg, source, watcher, err
}

func (c *configFlags) source(s session, flags *pflag.FlagSet) config.Source {
	over := map[string]any{}
	for flag, key := range map[string]string{
		"driver": "driver", "listen": "listen", "admin": "admin", "instance": "instance", "on-exit": "on_exit", "publish": "publish",
		"pprof": "pprof", "log-level": "log.level", "log-format": "log.format", "log-access": "log.access",
	} {
		if f := flags.Lookup(flag); f != nil && f.Changed {
			over[key] = f.Value.String()
		}
	}
	return config.Source{File: c.file, Default: s.Config, Env: s.env, Overrides: over}
}
