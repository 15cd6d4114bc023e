// Package simulate plays arrivals through the fleet and the scaling policy that the balancer runs, in virtual time: what-if for a person, and the
// bench on which policies are compared.
//
// Real are the fleet (who is served by whom, who waits, what is measured) and the policies. Modelled are the requests, which take as long as the load says;
// the starts, which take a random time and run four at a time; and removals, which take none. Nobody fails, and clients neither leave nor come again.
package simulate

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"understudy/config"
)

// Range is how long starts take: each a length drawn evenly from Min to Max.
type Range struct{ Min, Max time.Duration }

// DefaultStart is a container's start on an ordinary host.
func DefaultStart() Range { return Range{400 * time.Millisecond, 800 * time.Millisecond} }

// Options say what is simulated.
type Options struct {
	Load     Load          // made with the same Pools
	Pools    []config.Pool // nil: DefaultPools
	Policies []string      // as ParsePolicies returns them; nil: all
	Start    Range         // the zero Range: DefaultStart
	Seed     uint64        // of every random choice: the same seed, the same result
	Cores    float64       // busy workers beyond so many slow each other down; 0: no limit
}

// Run plays the load once for each policy, some at a time, and reports what came of it. The error is ctx's cause, or names what is wrong with an option
// or the load.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.Pools = orDefault(o.Pools)
	if o.Policies == nil {
		o.Policies = AllPolicies()
	}
	if o.Start == (Range{}) {
		o.Start = DefaultStart()
	}
	best := make(chan outcome, 1)
	go func() {
		book, err := runOracle(ctx, o)
		best <- outcome{book, err}
	}()
	outcomes := playAll(ctx, o)
	oracle := <-best
	errs := []error{oracle.err}
	for i, name := range o.Policies {
		if name == oracleName {
			outcomes[i] = oracle
		}
		errs = append(errs, outcomes[i].err)
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return newReport(o, outcomes, oracle.book), nil
}

// outcome is what became of one policy.
type outcome struct {
	book *book
	err  error
}

// playAll plays every policy but the oracle.
func playAll(ctx context.Context, o Options) []outcome {
	outcomes := make([]outcome, len(o.Policies))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, name := range o.Policies {
		if name == oracleName {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			outcomes[i] = playOne(ctx, o, name)
		})
	}
	wg.Wait()
	return outcomes
}

func playOne(ctx context.Context, o Options, name string) outcome {
	r, err := newRun(o, func(p config.Pool) (Policy, error) { return newPolicy(name, p.Workers.Max) })
	if err != nil {
		return outcome{err: err}
	}
	if err := r.play(ctx); err != nil {
		return outcome{err: err}
	}
	if r.book.requests == 0 {
		return outcome{err: errors.New("there is not one request in the load: let it last longer")}
	}
	return outcome{book: r.book}
}
