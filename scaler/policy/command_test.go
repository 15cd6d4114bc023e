package policy_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// do is one line of a script:
//
//	pool target 300ms percentile 95 min 1 max 8 spare 1 [spare_max 4] [parallel 4]
//	world service 100ms start 600ms workers 2       what one task takes, what a start takes, what is there at first
//	load 10/s for 60s
//	load 10/s and 80/s in turns of 5s for 10m
//	10 at once                                      on top of the next load
//	workers die
//	tasks hang | end | fail | succeed | take 400ms
//	starts fail | succeed | take 3s
//	others 4                                        workers that are not ours join
//	cpu 95% | unknown
func (p *player) do(line string) error {
	words := strings.Fields(line)
	switch words[0] {
	case "pool", "world":
		return p.set(words[1:])
	case "load":
		return p.loadLine(words[1:])
	case "workers":
		p.world().die()
		return nil
	case "tasks", "starts", "cpu", "others":
		if len(words) < 2 {
			return errors.New("say what of it")
		}
		return p.change(words[0]+" "+words[1], words[len(words)-1])
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || len(words) != 3 || words[1] != "at" {
		return errors.New("no such line")
	}
	s := p.world()
	s.at(s.now, func() {
		for range n {
			s.arrive(request{arrived: s.now, service: s.draw()})
		}
	})
	return nil
}

// set reads pairs of key and value.
func (p *player) set(pairs []string) error {
	if len(pairs)%2 != 0 {
		return errors.New("keys and values do not pair up")
	}
	c := &p.cfg
	numbers := map[string]*int{
		"min": &c.Min, "max": &c.Max, "spare": &c.Spare, "spare_max": &c.SpareMax, "parallel": &c.Parallel,
		"workers": &p.adopted,
	}
	times := map[string]*time.Duration{"target": &c.Target, "service": &p.mean, "start": &p.start}
	for i := 0; i < len(pairs); i += 2 {
		key, value := pairs[i], pairs[i+1]
		var err error
		switch {
		case numbers[key] != nil:
			*numbers[key], err = strconv.Atoi(value)
		case times[key] != nil:
			*times[key], err = time.ParseDuration(value)
		case key == "percentile":
			c.Percentile, err = strconv.ParseFloat(value, 64)
		default:
			err = fmt.Errorf("no key %q", key)
		}
		if err != nil {
			return err
		}
	}
	if p.sim != nil {
		p.sim.cfg = p.cfg
	}
	return nil
}

// loadLine reads "R for D" and "R and R in turns of D for D".
func (p *player) loadLine(words []string) error {
	text := strings.Join(words, " ")
	var one, two, turn, length string
	if _, err := fmt.Sscanf(text, "%s and %s in turns of %s for %s", &one, &two, &turn, &length); err != nil {
		two, turn = "0/s", "1000h"
		if _, err := fmt.Sscanf(text, "%s for %s", &one, &length); err != nil {
			return fmt.Errorf("write R for D, or R and R in turns of D for D: %w", err)
		}
	}
	first, err := rate(one)
	if err != nil {
		return err
	}
	second, err := rate(two)
	if err != nil {
		return err
	}
	spans, err := durations(turn, length)
	if err != nil {
		return err
	}
	on := spans[0].Seconds()
	p.play(workload{length: spans[1], rate: cycle(second, first, on, 2*on)})
	return nil
}

// change changes the world from now on.
func (p *player) change(what, value string) error {
	s := p.world()
	var err error
	switch what {
	case "tasks hang":
		s.hang = true
	case "tasks end":
		s.resume()
	case "tasks fail":
		s.fail = true
	case "tasks succeed":
		s.fail = false
	case "tasks take":
		s.mean, err = time.ParseDuration(value)
	case "starts fail":
		s.failStart = 1
	case "starts succeed":
		s.failStart = 0
	case "starts take":
		s.start, err = time.ParseDuration(value)
	case "cpu unknown":
		s.cpu = -1
	default:
		switch subject, _, _ := strings.Cut(what, " "); subject {
		case "cpu":
			s.cpu, err = strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
			s.cpu /= 100
		case "others":
			var n int
			n, err = strconv.Atoi(value)
			s.join(n)
		default:
			return fmt.Errorf("no such thing as %q", what)
		}
	}
	return err
}
