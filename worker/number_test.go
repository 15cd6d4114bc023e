package worker

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/quick"
)

func TestWholeNumbersAreExactAndOthersAreFloats(t *testing.T) {
	for _, c := range []struct{ a, b, product, sum string }{
		{"6", "7", "42", "13"},
		{"-6", "+7", "-42", "1"},
		{" 6", "007", "42", "13"},
		{"0.5", "3", "1.5", "3.5"},
		{"6.0", "7", "42", "13"},
		{"1e3", "2", "2000", "1002"},
		{".5", "4.", "2", "4.5"},
		{"9007199254740993", "3", "27021597764222979", "9007199254740996"}, // 2^53+1, which no float64 holds
		{"99999999999999999999", "99999999999999999999", "9999999999999999999800000000000000000001", "199999999999999999998"},
		{"1e308", "1", "1e+308", "1e+308"},
	} {
		a, errA := parseNumber(c.a)
		b, errB := parseNumber(c.b)
		if errA != nil || errB != nil {
			t.Errorf("%s and %s: %v, %v", c.a, c.b, errA, errB)
			continue
		}
		product, errA := multiplication().apply(a, b)
		sum, errB := addition().apply(a, b)
		if errA != nil || errB != nil || string(product.json()) != c.product || string(sum.json()) != c.sum {
			t.Errorf("%s and %s make %s and %s (%v, %v), want %s and %s", c.a, c.b, product.json(), sum.json(), errA, errB, c.product, c.sum)
		}
	}
}

func TestWhatIsNoDecimalNumberIsRefused(t *testing.T) {
	for _, text := range []string{"", " ", "six", "1_000", "0x1p-2", "Infinity", "nan", "1,5", "1e400", "--1", "1.2.3", "e", "٣"} {
		if n, err := parseNumber(text); err == nil {
			t.Errorf("%q was read as %s", text, n.json())
		}
	}
}

func TestTheLongestNumberAllowedIsTaken(t *testing.T) {
	text := strings.Repeat("9", maxDigits)
	n, err := parseNumber(text)
	if err != nil || string(n.json()) != text {
		t.Errorf("%v", err)
	}
	// Beyond what a float64 holds, together with a fraction: refused, not rounded to something infinite.
	if _, err := addition().apply(n, number{float: 0.5}); err == nil {
		t.Error("a result too large for a float64 was not refused")
	}
}

func TestWholeNumbersOfAnySizeMatchBigIntegers(t *testing.T) {
	property := func(x, y int64, shift uint8) bool {
		left := new(big.Int).Lsh(big.NewInt(x), uint(shift))
		right := big.NewInt(y)
		a, errA := parseNumber(left.String())
		b, errB := parseNumber(right.String())
		product, errP := multiplication().apply(a, b)
		sum, errS := addition().apply(a, b)
		return errA == nil && errB == nil && errP == nil && errS == nil &&
			string(product.json()) == new(big.Int).Mul(left, right).String() &&
			string(sum.json()) == fmt.Sprint(new(big.Int).Add(left, right))
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}
