package client

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy/trace"
)

// The highest values Validate lets through. They keep a typing mistake from becoming a load nobody meant.
const (
	maxN           = 1_000_000_000
	maxDuration    = 7 * 24 * time.Hour
	maxConcurrency = 10_000
	maxRate        = 1_000_000.0
	maxSpeed       = 1_000_000.0
	maxTimeout     = time.Hour
	maxInFlight    = 1_000_000
	maxKinds       = trace.MaxKinds // capabilities of one run; each has histograms of its own
)

// Validate reports every problem there is with the options at once, joined; each is one sentence with the name, the value and what
// is legal. It looks at no file: a trace is checked by Run.
func (o Options) Validate() error {
	var p problems
	p.between("n", float64(o.N), 0, maxN, "1 to 1000000000 requests")
	p.duration("duration", o.Duration, maxDuration)
	p.between("concurrency", float64(o.Concurrency), 0, maxConcurrency, "1 to 10000 callers")
	p.between("rate", o.Rate, 0, maxRate, "more than 0 and at most 1000000 requests a second")
	p.between("speed", o.Speed, 0, maxSpeed, "more than 0 and at most 1000000")
	p.duration("timeout", o.Timeout, maxTimeout)
	p.duration("grace", o.Grace, maxTimeout)
	p.between("max in flight", float64(o.MaxInFlight), 0, maxInFlight, "1 to 1000000 requests")
	o.validateLoop(&p)
	o.validateRequest(&p)
	o.Mix.validate(&p)
	return errors.Join(p...)
}

// validateLoop checks what cannot go together.
func (o Options) validateLoop(p *problems) {
	if o.Shape != "" && !slices.Contains(Shapes(), o.Shape) {
		p.add("shape", string(o.Shape), joinWords(Shapes()))
	}
	if o.Concurrency != 0 && o.Rate != 0 {
		p.clash("concurrency", o.Concurrency, "rate", o.Rate, "callers wait for their answers, a rate does not")
	}
	if o.Shape != "" && o.Shape != ShapeConstant && o.Rate == 0 {
		*p = append(*p, fmt.Errorf("shape is %q without a rate: give the highest rate it shall reach", o.Shape))
	}
	if o.Trace == "" {
		if o.Speed != 0 && o.Speed != 1 {
			*p = append(*p, fmt.Errorf("speed is %v without a trace: it is the factor a trace is played faster by", o.Speed))
		}
		return
	}
	if o.Rate != 0 {
		p.clash("trace", o.Trace, "rate", o.Rate, "the trace has its own times; use speed")
	}
	if o.Concurrency != 0 {
		p.clash("trace", o.Trace, "concurrency", o.Concurrency, "requests of a trace leave at their time, not when a caller is free")
	}
}

func (o Options) validateRequest(p *problems) {
	if o.Target != "" {
		if err := checkTarget(o.Target); err != nil {
			*p = append(*p, err)
		}
	}
	if o.TLS != nil && !strings.HasPrefix(strings.ToLower(o.Target), "https://") {
		*p = append(*p, fmt.Errorf("target is %q and it is said whom to trust: that is of use for an https:// target only", cmp.Or(o.Target, DefaultTarget)))
	}
	if o.Method != "" && !isToken(o.Method) {
		p.add("method", o.Method, "an HTTP method such as POST or GET")
	}
	for name, values := range o.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Transfer-Encoding":
			*p = append(*p, fmt.Errorf("header %s is given: leave it out, because the client itself says how long a body is", name))
		case "Host":
			validateHost(values, p)
		}
		if !isToken(name) {
			p.add("header", name, "a header name of letters, digits and -")
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				p.add("header "+name, v, "text without control characters")
			}
		}
	}
	for name := range o.Bodies {
		if _, err := trace.Segment(name); name != "" && err != nil {
			p.add("capability of a body", name, err.Error())
		}
	}
	if len(o.Bodies) > 0 && o.bodiless() {
		*p = append(*p, fmt.Errorf("method is %s and a body is given: choose POST or leave the body out", o.Method))
	}
}

func validateHost(values []string, p *problems) {
	if len(values) != 1 || values[0] == "" || strings.ContainsFunc(values[0], func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("/?#@,;\\\"<>", r)
	}) {
		p.add("header Host", strings.Join(values, ", "), "one name, perhaps with a port")
	}
}

func checkTarget(target string) error {
	const legal = "legal is http://host:port or https://host:port, optionally with a path"
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return fmt.Errorf("target is %q, which is no URL: %s", target, legal)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("target is %q: %s", target, legal)
	case u.Hostname() == "":
		return fmt.Errorf("target is %q, which names no host: %s", target, legal)
	case !isPort(u.Port()):
		return fmt.Errorf("target is %q, whose port is none: %s", target, legal)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("target is %q: %s, without user, query or fragment", target, legal)
	}
	return nil
}

// isPort tells whether s is a port, or none at all. That it has digits alone is seen by url.Parse.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

// problems collects what is wrong, so that it is all said at once.
type problems []error

func (p *problems) add(name, value, legal string) {
	*p = append(*p, fmt.Errorf("%s is %q: legal is %s", name, value, legal))
}

func (p *problems) clash(a string, av any, b string, bv any, why string) {
	*p = append(*p, fmt.Errorf("%s is %v and %s is %v: give one of them, because %s", a, av, b, bv, why))
}

func (p *problems) between(name string, v, lo, hi float64, legal string) {
	if math.IsNaN(v) || v < lo || v > hi {
		*p = append(*p, fmt.Errorf("%s is %s: legal is %s", name, number(v), legal))
	}
}

// number is v as a person writes it, unless that is too long to read.
func number(v float64) string {
	if math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func (p *problems) duration(name string, v, hi time.Duration) {
	if v < 0 || v > hi {
		*p = append(*p, fmt.Errorf("%s is %v: legal is more than 0s and at most %v", name, v, hi))
	}
}

// isToken tells whether s may be a method or header name (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func joinWords[T ~string](words []T) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = string(w)
	}
	return strings.Join(s, ", ")
}
