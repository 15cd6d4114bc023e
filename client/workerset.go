package client

import "math/bits"

// workerSet is a set of workers by their number: one bit each, because one is added for every answer. The zero value is empty.
type workerSet []uint64

// noWorker stands for an answer that did not say whose it is.
const noWorker = -1

// add does nothing for noWorker.
func (s *workerSet) add(number int) {
	if number < 0 {
		return
	}
	word := number / 64
	for len(*s) <= word {
		*s = append(*s, 0)
	}
	(*s)[word] |= 1 << (number % 64)
}

func (s *workerSet) addAll(other workerSet) {
	for len(*s) < len(other) {
		*s = append(*s, 0)
	}
	for i, word := range other {
		(*s)[i] |= word
	}
}

func (s workerSet) len() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}
