package client

import (
	"reflect"
	"strings"
	"testing"
)

func TestAssertionsAreRead(t *testing.T) {
	got, err := ParseAssertions("p95<300ms, errors=0,mult.p99.9 <= 1.5s,a.b.max>2us,rate>=10,errors<0.5%,count>9")
	want := []Assertion{
		{"p95<300ms", "", "p95", "<", 300, false},
		{"errors=0", "", "errors", "=", 0, false},
		{"mult.p99.9 <= 1.5s", "mult", "p99.9", "<=", 1500, false},
		{"a.b.max>2us", "a.b", "max", ">", 0.002, false},
		{"rate>=10", "", "rate", ">=", 10, false},
		{"errors<0.5%", "", "errors", "<", 0.5, true},
		{"count>9", "", "count", ">", 9, false},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAWrongAssertionIsPointedAtAndToldWhatIsLegal(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "character 1: \"\" has no operator; legal is metric operator value",
		"p95":                    "character 1: \"p95\" has no operator",
		"errors=0,p95<<300ms":    `character 13: "<<" is no operator; legal are < <= = >= >`,
		"p95==300ms":             `character 4: "==" is no operator`,
		"p95!=300ms":             `character 4: "!=" is no operator`,
		"errors=0, p96<300ms":    `character 11: "p96" is no metric; legal are p50 p90 p95 p99 p99.9 max mean count errors rate`,
		"mult.p98<1s":            `character 1: "mult.p98" is no metric`,
		".p99<1s":                "character 1:",
		"p95<300":                `character 5: "300" is no value for p95; legal is a time with its unit`,
		"p95<0":                  "character 5:",
		"p95<-1ms":               "character 5:",
		"p95<5%":                 "character 5:",
		"errors<x":               `character 8: "x" is no value for errors; legal is a number from 0, or a share`,
		"rate>10%":               `character 6: "10%" is no value for rate`,
		"rate>NaN":               "character 6:",
		"count>":                 "character 7:",
		"errors=0,,p95<1s":       "character 10:",
		"p95<300ms;errors=0":     "character 5:",
		"p42<1s,p95<1s,errors=x": "character 22:",
	} {
		got, err := ParseAssertions(text)
		if err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	_, err := ParseAssertions("p42<1s,p95<1s,errors=x")
	if n := strings.Count(err.Error(), "character"); n != 2 {
		t.Errorf("%d problems are reported, want both: %v", n, err)
	}
}

func TestAssertionsAreCheckedAgainstTheReport(t *testing.T) {
	report := &Report{
		Count: 1000, Errors: 3, Rate: 99.5, DurationS: 10,
		Latency: Latency{P50: 100, P90: 200, P95: 412, P99: 500, P999: 600, Max: 700.5, Mean: 120},
		Capabilities: map[string]CapabilityReport{
			"mult": {Count: 900, Rate: 90, Latency: Latency{P99: 450}},
			"a.b":  {Count: 10, Errors: 10},
		},
	}
	for _, c := range []struct{ clause, want string }{
		{"p95<300ms", "p95<300ms: p95 was 412 ms"},
		{"p95<=412ms", ""},
		{"p95<412ms", "p95<412ms: p95 was 412 ms"},
		{"p95=412ms", ""},
		{"p95>=412ms", ""},
		{"p95>412ms", "p95>412ms: p95 was 412 ms"},
		{"p95<0.5s", ""},
		{"p50<100ms", "p50<100ms: p50 was 100 ms"},
		{"p90<1ms", "p90<1ms: p90 was 200 ms"},
		{"p99<1ms", "p99<1ms: p99 was 500 ms"},
		{"p99.9<1ms", "p99.9<1ms: p99.9 was 600 ms"},
		{"max<700ms", "max<700ms: max was 700.5 ms"},
		{"mean<100ms", "mean<100ms: mean was 120 ms"},
		{"count=1000", ""},
		{"count>1000", "count>1000: count was 1000"},
		{"errors=0", "errors=0: errors was 3"},
		{"errors<=3", ""},
		{"errors<0.3%", "errors<0.3%: errors was 0.3 %"},
		{"errors<1%", ""},
		{"rate>100", "rate>100: rate was 99.5/s"},
		{"mult.p99<450ms", "mult.p99<450ms: p99 was 450 ms"},
		{"mult.errors=0", ""},
		{"mult.rate>=90", ""},
		{"mult.rate>90", "mult.rate>90: rate was 90/s"},
		{"add.count>=0", "add.count>=0: no request went to add"},
		{"a.b.p99<1s", "a.b.p99<1s: there was no answer to measure"},
		{"a.b.errors<50%", "a.b.errors<50%: errors was 100 %"},
	} {
		assertions, err := ParseAssertions(c.clause)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(Failed(assertions, report), "|"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAnEmptyReportHoldsNoPromiseAboutLatency(t *testing.T) {
	assertions, err := ParseAssertions("p95<1s,errors<1%,errors=0")
	if err != nil {
		t.Fatal(err)
	}
	if got := Failed(assertions, &Report{}); len(got) != 2 {
		t.Errorf("%q", got)
	}
}
