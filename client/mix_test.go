package client

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestAMixIsReadWithAndWithoutWeights(t *testing.T) {
	for text, want := range map[string]Mix{
		"mult=2,add=1":     {{"mult", 2}, {"add", 1}},
		"mult":             {{"mult", 1}},
		" pdf = 0.5 , a.b": {{"pdf", 0.5}, {"a.b", 1}},
	} {
		got, err := ParseMix(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseMix(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestAWrongMixIsPointedAt(t *testing.T) {
	for text, want := range map[string]string{
		"":                "character 1:",
		"mult=2,,add":     "character 8:",
		"mult=2,add=x":    "character 12:",
		"mult=-1":         `character 6: the weight "-1"`,
		"mult=0":          "character 6:",
		"mult=NaN":        "character 6:",
		"mult=2, a/b=1":   `character 9: "a/b" is no capability`,
		"..=1":            "character 1:",
		"mult=2,add=1=1":  "character 12:",
		"add=10000000000": "character 5:",
	} {
		_, err := ParseMix(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMix(%q): %v, want %q", text, err, want)
		}
	}
}

func TestCapabilitiesAreChosenByWeight(t *testing.T) {
	mix := Mix{{"mult", 2}, {"add", 1}, {"rare", 0.03}}
	counts := map[string]float64{}
	const n = 100_000
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		counts[mix.choose(random)]++
	}
	for _, s := range mix {
		p := s.Weight / 3.03
		if sigma := math.Sqrt(n * p * (1 - p)); math.Abs(counts[s.Capability]-n*p) > 5*sigma {
			t.Errorf("%s was chosen %v times, want %.0f ± %.0f", s.Capability, counts[s.Capability], n*p, sigma)
		}
	}
}

func TestAMixReadsAsItIsWritten(t *testing.T) {
	const text = "mult=2,add=0.5"
	mix, err := ParseMix(text)
	if err != nil || mix.String() != text {
		t.Errorf("%q reads %v, %v", text, mix, err)
	}
}
