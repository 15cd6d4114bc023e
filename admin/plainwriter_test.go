package admin

import (
	"errors"
	"strings"
	"testing"
)

func TestAPlainWriterSpellsOutWhatATerminalObeysHoweverTheTextIsCut(t *testing.T) {
	const text = "w1 | \x1b[2J\u009b31m\r\u202eexe.png\x07\ttab – ü 語 𝄞\n\xff\xfe\x00\n\xe8\xaa"
	const want = `w1 | \x1b[2J\u009b31m\r\u202eexe.png\a` + "\ttab – ü 語 𝄞\n" + `\xff\xfe\x00` + "\n" + `\xe8\xaa`
	for size := 1; size <= len(text); size++ {
		var out strings.Builder
		w := NewPlainWriter(&out)
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if got, err := w.Write([]byte(rest[:n])); got != n || err != nil {
				t.Fatalf("Write returns %d, %v", got, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Fatalf("%d bytes at a time give %q, want %q", size, out.String(), want)
		}
	}
}

func TestAPlainWriterTellsWhenNobodyReads(t *testing.T) {
	gone := errors.New("gone")
	if _, err := NewPlainWriter(failing{gone}).Write([]byte("x")); err != gone {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
