package worker

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits bounds what multiplying two numbers can cost.
const maxDigits = 1000

// number is a whole number of any size, or else a float64.
type number struct {
	whole *big.Int // nil: not a whole number
	float float64
}

// parseNumber reads a decimal number: digits alone make a whole number, a point or an exponent a float64.
func parseNumber(s string) (number, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxDigits {
		return number{}, fmt.Errorf("it has more than %d characters", maxDigits)
	}
	if whole, ok := new(big.Int).SetString(s, 10); ok {
		return number{whole: whole}, nil
	}
	// ParseFloat alone would also take "NaN", "inf" and hexadecimal.
	float, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "0123456789+-.eE") != "" {
		return number{}, fmt.Errorf("it must be a decimal number of at most %g", math.MaxFloat64)
	}
	return number{float: float}, nil
}

func (n number) float64() float64 {
	if n.whole == nil {
		return n.float
	}
	f, _ := new(big.Float).SetInt(n.whole).Float64()
	return f
}

func (n number) json() json.RawMessage {
	if n.whole != nil {
		return json.RawMessage(n.whole.String())
	}
	text, _ := json.Marshal(n.float) // cannot fail: a number is finite
	return text
}

// operation is what a kind of task computes, for whole numbers and for all others.
type operation struct {
	whole func(z, x, y *big.Int) *big.Int
	float func(x, y float64) float64
}

// apply computes exactly when both are whole numbers, however large the result, and otherwise in float64, where a result too large for
// one is an error.
func (op operation) apply(a, b number) (number, error) {
	if a.whole != nil && b.whole != nil {
		return number{whole: op.whole(new(big.Int), a.whole, b.whole)}, nil
	}
	result := op.float(a.float64(), b.float64())
	if math.IsInf(result, 0) || math.IsNaN(result) {
		return number{}, fmt.Errorf("the result is too large: with a number that has a point or an exponent it can be at most %g", math.MaxFloat64)
	}
	return number{float: result}, nil
}

func multiplication() operation {
	return operation{whole: (*big.Int).Mul, float: func(x, y float64) float64 { return x * y }}
}

func addition() operation {
	return operation{whole: (*big.Int).Add, float: func(x, y float64) float64 { return x + y }}
}
