package logs

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Visit is one request as the access log tells it. Empty texts, and durations below 0, mean that there is none.
type Visit struct {
	At                    time.Time // it arrived
	Client                string    // its address, without a port
	Method, Target, Proto string
	Status                int   // 499: the client left
	Bytes                 int64 // of the answer's body
	Referer, Agent        string
	Capability, Pool      string
	Worker, Start         string
	Queue, Service, Took  time.Duration
	ID                    string
	Cause                 string // what went wrong
}

// appendCombined writes the NCSA combined format, and behind it worker, start, queue and service in milliseconds, and the request's id.
func (v *Visit) appendCombined(b, stamp []byte) []byte {
	b = appendWord(b, v.Client)
	b = append(b, " - - ["...)
	b = append(b, stamp...)
	b = append(b, `] "`...)
	b = appendQuoted(b, v.Method)
	b = append(b, ' ')
	b = appendQuoted(b, v.Target)
	b = append(b, ' ')
	b = appendQuoted(b, v.Proto)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(v.Status), 10)
	b = append(b, ' ')
	b = appendCount(b, v.Bytes)
	b = appendQuotedOrDash(b, v.Referer)
	b = appendQuotedOrDash(b, v.Agent)
	for _, word := range [...]string{v.Worker, v.Start} {
		b = appendWord(append(b, ' '), word)
	}
	for _, d := range [...]time.Duration{v.Queue, v.Service} {
		b = append(b, ' ')
		if d < 0 {
			b = append(b, '-')
		} else {
			b = appendMillis(b, d)
		}
	}
	return append(appendWord(append(b, ' '), v.ID), '\n')
}

// appendJSON writes an object on one line. What there is none of is left out.
func (v *Visit) appendJSON(b, stamp []byte) []byte {
	b = append(append(b, `{"time":"`...), stamp...)
	millis := v.At.Nanosecond() / int(time.Millisecond)
	b = append(b, '.', byte('0'+millis/100), byte('0'+millis/10%10), byte('0'+millis%10))
	b = append(b, `Z","client":"`...)
	b = appendText(b, v.Client)
	b = append(b, `","method":"`...)
	b = appendText(b, v.Method)
	b = append(b, `","target":"`...)
	b = appendText(b, v.Target)
	b = append(b, `","proto":"`...)
	b = appendText(b, v.Proto)
	b = strconv.AppendInt(append(b, `","status":`...), int64(v.Status), 10)
	b = strconv.AppendInt(append(b, `,"bytes":`...), v.Bytes, 10)
	b = appendMember(b, `,"referer":"`, v.Referer)
	b = appendMember(b, `,"agent":"`, v.Agent)
	b = appendMember(b, `,"capability":"`, v.Capability)
	b = appendMember(b, `,"pool":"`, v.Pool)
	b = appendMember(b, `,"worker":"`, v.Worker)
	b = appendMember(b, `,"start":"`, v.Start)
	b = appendSpan(b, `,"queue_ms":`, v.Queue)
	b = appendSpan(b, `,"service_ms":`, v.Service)
	b = appendSpan(b, `,"took_ms":`, v.Took)
	b = appendMember(b, `,"id":"`, v.ID)
	b = appendMember(b, `,"cause":"`, v.Cause)
	return append(b, "}\n"...)
}

func appendMember(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return append(appendText(append(b, key...), value), '"')
}

func appendSpan(b []byte, key string, d time.Duration) []byte {
	if d < 0 {
		return b
	}
	return appendMillis(append(b, key...), d)
}

func appendCount(b []byte, n int64) []byte {
	if n == 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, n, 10)
}

// appendMillis writes milliseconds with three decimals.
func appendMillis(b []byte, d time.Duration) []byte {
	micros := int64(d+time.Microsecond/2) / int64(time.Microsecond)
	b = strconv.AppendInt(b, micros/1000, 10)
	rest := micros % 1000
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

func appendQuotedOrDash(b []byte, s string) []byte {
	if s == "" {
		return append(b, ` "-"`...)
	}
	return append(appendQuoted(append(b, ` "`...), s), '"')
}

// appendWord writes a text without quotes: no space may be in it.
func appendWord(b []byte, s string) []byte {
	if s == "" {
		return append(b, '-')
	}
	for i := range len(s) {
		if s[i] == ' ' {
			b = append(b, `\x20`...)
		} else {
			b = appendByte(b, s[i])
		}
	}
	return b
}

// appendQuoted writes a text for between quotes. Whatever is no printable ASCII is \xHH, as nginx has it.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		b = appendByte(b, s[i])
	}
	return b
}

func appendByte(b []byte, c byte) []byte {
	if c < ' ' || c > '~' || c == '"' || c == '\\' {
		return append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(b, c)
}

// appendText writes a text for between the quotes of JSON.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ' || c == 0x7f:
				b = appendEscaped(b, rune(c))
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, "\uFFFD"...)
		case hidden(r):
			b = appendEscaped(b, r)
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return b
}
