package policy

// next is the least number of workers with which no more requests miss by waiting than with an unlimited number, give or take a share of
// those concerned (formula 4). Workers that cannot be ready in time to change anything are not bought, and a queue that drains within its deadlines
// buys none. When the last 5 s show slower service than the last 60, both are asked.
func (v *view) next() int {
	f := v.expect()
	v.lookAhead(&v.ahead, &v.long, &f)
	v.forecast = f
	n := v.least(&v.ahead, &v.long)
	if v.slower {
		var o outlook
		v.lookAhead(&o, &v.short, &f)
		if m := v.least(&o, &v.short); m > n {
			n, v.ahead, v.aheadShort = m, o, true
		}
	}
	v.mem.next = n
	return n
}

// grain is the requests by which two plays may differ only because time goes in steps. Without it, ten at once every 5 s cost a tenth more starts and
// 2 % more workers for nothing.
const grain = 0.1

// least searches from the last answer, in steps that double until it is between two numbers, then by halves: M(c) falls in c.
func (v *view) least(o *outlook, l *law) int {
	if o.n == 0 {
		return 0
	}
	most := min(v.cfg.Max, o.ready+o.nStart)
	bar := o.play(l, most).cost() + v.eps()*o.n + grain
	tooFew, enough := -1, most
	probe := min(max(v.mem.next, 0), most-1)
	for step := 1; tooFew+1 < enough; step *= 2 {
		if o.play(l, probe).cost() <= bar {
			enough = probe
			probe -= step
		} else {
			tooFew = probe
			probe += step
		}
		if tooFew >= 0 && enough < most || probe <= tooFew || probe >= enough {
			probe = (tooFew + enough) / 2
		}
	}
	return enough
}
