package cli

import (
	"log/slog"

	"github.com/spf13/cobra"

	"understudy/worker"
)

func (s session) workerCommand() *cobra.Command {
	var flags worker.Options
	var duration worker.Range
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Run the built-in worker",
		Long: `Run one worker that does artificial tasks: mult, add and sleep. The balancer starts such workers by itself; run one by hand to try it, or to
let it register with a balancer. Flags win over the environment: PORT, HOST, MULT, ADD, PLANNER, ADDRESS, DURATION and UNDERSTUDY_….`,
		Example: `  understudy worker --listen 127.0.0.1:9001
  understudy worker --listen 127.0.0.1:9001 --register http://127.0.0.1:8081 --capabilities mult`,
		Args: noArgs,
	}
	f := cmd.Flags()
	f.StringVar(&flags.Listen, "listen", "", "HOST:PORT to listen on (default \":8080\", or :$PORT)")
	f.StringSliceVar(&flags.Capabilities, "capabilities", nil, "kinds of task it does; others get 404 (default mult,add,sleep)")
	f.StringVar(&flags.ID, "id", "", "its name in answers (default a random one)")
	f.StringVar(&flags.Register, "register", "", "base URL of a balancer's admin or planner address to register with (default: it does not)")
	f.StringVar(&flags.Address, "address", "", "base URL it gives when it registers (default http://localhost and its port)")
	f.Var(&duration, "duration", "how long a task takes, drawn evenly (default 50ms..150ms)")
	f.Lookup("duration").DefValue = "" // the range is empty until it is given
	f.IntVar(&flags.Concurrency, "concurrency", 0, "tasks at a time (default one of each kind, as the planner protocol has it)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		opts, err := worker.FromEnv(s.env)
		if err != nil {
			return usageError{err}
		}
		if cmd.Flags().Changed("duration") {
			flags.Duration = &duration
		}
		opts = opts.Override(flags)
		opts.Log = slog.New(slog.NewTextHandler(s.err, nil))
		if err := opts.Validate(); err != nil {
			return usageError{err}
		}
		ctx, stop := s.stopBy(cmd.Context())
		defer stop()
		return worker.Run(ctx, opts)
	}
	return cmd
}
