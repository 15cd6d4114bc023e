package simulate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/trace"
)

// Load is arrivals that can be played any number of times, the same each time.
type Load struct {
	Name   string
	Length time.Duration // whole seconds, at least one

	open func(seed uint64) (arrivals, error)
}

// arrivals yields the requests of one run in the order of time, and io.EOF after the last.
type arrivals interface {
	next() (request, error)
	close() error
}

// request is one arrival. Its capability is one that a pool has.
type request struct {
	at         time.Duration
	service    time.Duration // on an idle worker
	capability string
}

// The durations of requests that come without: lognormal with this mean and sigma, as in most measurements of web services.
const (
	meanService  = 100 * time.Millisecond
	sigmaService = 0.5
)

// Every random choice has a stream of its own, so that all policies see the same requests and the same luck with starts.
const (
	seedArrivals = 1
	seedServices = 2
	seedStarts   = 3
)

func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func drawService(r *rand.Rand) time.Duration {
	return time.Duration(float64(meanService) * math.Exp(sigmaService*r.NormFloat64()-sigmaService*sigmaService/2))
}

// FromTrace makes a load of a CSV file, t[,duration_ms][,kind], cut off at most after cut when that is not 0. The whole file is read once to check it: the
// error is one sentence that names the line. Kinds must be capabilities of the pools; without pools every kind will do. Memory does not
// grow with the file.
func FromTrace(path string, cut time.Duration, pools []config.Pool) (Load, error) {
	route := newRouter(pools)
	tr, err := trace.Open(path)
	if err != nil {
		return Load{}, err
	}
	defer tr.Close()
	info, err := tr.Check(func(kind string) error {
		_, err := route.to(kind)
		return err
	})
	if err != nil {
		return Load{}, err
	}
	if len(info.Kinds) == 0 {
		if _, err := route.to(""); err != nil {
			return Load{}, fmt.Errorf("trace %s has no column kind, and %w", path, err)
		}
	}
	length := wholeSeconds(info.Duration)
	if cut > 0 && cut < length {
		length = wholeSeconds(cut - 1)
	} else {
		cut = math.MaxInt64
	}
	return Load{Name: path, Length: length, open: func(seed uint64) (arrivals, error) {
		tr, err := trace.Open(path)
		if err != nil {
			return nil, err
		}
		return &replay{trace: tr, route: route, cut: cut, services: random(seed, seedServices)}, nil
	}}, nil
}

// wholeSeconds rounds up to the end of the second that d falls into.
func wholeSeconds(d time.Duration) time.Duration { return d.Truncate(time.Second) + time.Second }

// replay plays a trace.
type replay struct {
	trace    *trace.Reader
	route    router
	cut      time.Duration
	services *rand.Rand
}

func (r *replay) next() (request, error) {
	a, err := r.trace.Next()
	if err != nil {
		return request{}, err
	}
	if a.At >= r.cut {
		return request{}, io.EOF
	}
	out := request{at: a.At, service: time.Duration(a.Millis * float64(time.Millisecond))}
	if a.Millis == trace.Unknown {
		out.service = drawService(r.services)
	}
	out.capability, err = r.route.to(a.Capability)
	return out, err
}

func (r *replay) close() error { return r.trace.Close() }

// router finds the capability that takes a kind of request, as the balancer does.
type router struct {
	fleet *fleet.Fleet
	first string // where requests go that do not say their kind; empty when that is not clear
}

func newRouter(pools []config.Pool) router {
	pools = orDefault(pools)
	r := router{fleet: newFleet(pools, time.Now)}
	if len(pools) == 1 && len(pools[0].Capabilities) > 0 {
		r.first = pools[0].Capabilities[0]
	}
	return r
}

func (r router) to(kind string) (string, error) {
	switch {
	case kind != "":
	case r.first != "":
		return r.first, nil
	default:
		return "", errors.New("there are several pools: which of them would its requests go to")
	}
	if capability, ok := r.fleet.Resolve(kind); ok {
		return capability, nil
	}
	return "", fmt.Errorf("no pool has it; there are %q", r.fleet.Capabilities())
}
