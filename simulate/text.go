package simulate

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s: %d requests in %v, target %v\n\n", r.Trace, r.Requests, r.length, r.target()); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	refused := r.refused()
	fmt.Fprintf(t, "policy\tover target\tavoidable\tp50\tp95\tp99\tworker-s\tx oracle\tworkers\tmost\tstarts\treversals\tno spare\t%s\n", pick(refused, "refused\t", ""))
	for _, p := range r.Policies {
		fmt.Fprintf(t, "%s\t%.2f %%\t%.2f %%\t%s\t%s\t%s\t%.0f\t%.2f\t%.2f\t%d\t%d\t%d\t%s\t%s\n", p.Name, 100*p.OverTarget, 100*p.Avoidable,
			inMS(p.P50), inMS(p.P95), inMS(p.P99), p.WorkerSeconds, p.VsOracle, p.WorkerSeconds/r.length.Seconds(), p.most, p.Starts, p.Reversals,
			pick(p.Name == oracleName, "-", fmt.Sprintf("%.0f s", p.NoSpareS)),
			pick(refused, fmt.Sprintf("%d\t", p.refused), ""))
	}
	return t.Flush()
}

func (r *Report) target() time.Duration { return time.Duration(r.TargetMS * float64(time.Millisecond)) }

// refused tells whether any policy let requests be refused.
func (r *Report) refused() bool {
	for _, p := range r.Policies {
		if p.refused > 0 {
			return true
		}
	}
	return false
}

func pick(which bool, a, b string) string {
	if which {
		return a
	}
	return b
}

func inMS(ms float64) string { return fmt.Sprintf("%.0f ms", ms) }
