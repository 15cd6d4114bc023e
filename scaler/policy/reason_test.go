package policy

import (
	"strings"
	"testing"
	"time"
)

// The sentences of every rule and limit are in testdata/*.txt, as they come about. Here are those of one snapshot each, and the figures.
func TestTheSentenceSaysWhatFewerWouldCost(t *testing.T) {
	cfg, in := quiet()
	in.Slow.Arrivals, in.MeanBusy, in.Busy = 546, 0, 0
	in.Service = []Bucket{{50 * time.Millisecond, 50 * time.Millisecond, 400}, {212 * time.Millisecond, 212 * time.Millisecond, 200}}
	d, _ := Decide(cfg, in, State{})
	want := "usual: at 18.2/s x 104 ms (1.9 erlang) 3 workers would make 4.7 % miss 300 ms by waiting, 4 make 0.5 %"
	if got := d.Sentence(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d.Need != 4 || percent(d.Misses[0]) != "4.7 %" || percent(d.Misses[1]) != "0.5 %" {
		t.Errorf("need %d, predictions %v do not agree with the sentence", d.Need, d.Misses)
	}
}

func TestTheSentenceOfTheLookAheadSaysWhoWouldBeLate(t *testing.T) {
	cfg, in := quiet()
	in.Busy, in.Idle, in.Queue = 4, 0, 20
	in.Queued = []Group{{Age: 20 * time.Millisecond, N: 20}}
	in.Windows = []Window{{Width: time.Second, Arrivals: 40, BatchSquares: 40}}
	d, _ := Decide(cfg, in, State{})
	got := d.Sentence()
	for _, part := range []string{"next: of 60 requests that wait or are expected within 1 s, with ", "; 40 requests came in the last 1 s, 10.0/s before"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q lacks %q", got, part)
		}
	}
	if d.Term != termNext || !(d.Misses[0] >= d.Misses[1] && d.Misses[1] >= d.Misses[2]) {
		t.Errorf("%s: predictions %v do not fall", d.Term, d.Misses)
	}
}

func TestADecisionThatNobodyMadeHasNoSentence(t *testing.T) {
	if got := (Decision{}).Sentence(); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestWhatLimitsIsToldByWeight(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config, *Snapshot)
		want   string
	}{
		{"nothing", func(_ *Config, in *Snapshot) { in.Active = 0 }, ""},
		{"held", func(*Config, *Snapshot) {}, clampHeld},
		{"slow service before held", func(_ *Config, in *Snapshot) { in.Latency.Over = 6 }, clampSlow},
		{"few slow answers tell nothing", func(_ *Config, in *Snapshot) { in.Latency = Latency{N: 19, Over: 19, Requests: 19} }, clampHeld},
		{"failing before slow service", func(_ *Config, in *Snapshot) { in.Latency = Latency{N: 20, Over: 20, Failed: 21, Requests: 41} }, clampFailing},
		{"back-off before failing", func(_ *Config, in *Snapshot) {
			in.Active, in.Latency, in.StartFails = 0, Latency{N: 1, Failed: 9, Requests: 10}, 1
		}, clampBackoff},
		{"max before back-off", func(c *Config, in *Snapshot) { in.Active, c.Max, in.StartFails = 0, 1, 1 }, clampMax},
		{"a back-off without any start wanted limits nothing", func(_ *Config, in *Snapshot) { in.StartFails = 1 }, clampHeld},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, in := quiet()
			tt.change(&cfg, &in)
			if d, _ := Decide(cfg, in, State{}); d.Clamp != tt.want {
				t.Errorf("limited by %q, want %q (%s)", d.Clamp, tt.want, d.Sentence())
			}
		})
	}
}

func TestFiguresAreWrittenForAPerson(t *testing.T) {
	tests := []struct{ got, want string }{
		{amount(0.04), "none"}, {amount(1.24), "1.2"}, {amount(31.4), "31"},
		{percent(0), "0 %"}, {percent(0.0004), "under 0.1 %"}, {percent(0.0007), "0.1 %"}, {percent(0.061), "6.1 %"}, {percent(0.05), "5 %"},
		{percent(0.0996), "10 %"}, {percent(0.31), "31 %"}, {percent(1), "100 %"},
		{seconds(0.00042), "0.42 ms"}, {seconds(0.0051), "5.1 ms"}, {seconds(0.104), "104 ms"}, {seconds(0.9996), "1 s"}, {seconds(2.5), "2.5 s"}, {seconds(61), "61 s"},
		{decimal(0), "0.0"}, {decimal(0.034), "0.034"}, {decimal(0.5), "0.5"}, {decimal(18.24), "18.2"},
		{counted(0, "worker"), "0 workers"}, {counted(1, "worker"), "1 worker"}, {counted(2, "worker"), "2 workers"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
