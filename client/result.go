package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Result is what came of one request. Times count from the start of the run.
type Result struct {
	Capability string

	Intended time.Duration // when the schedule wanted it sent; in a closed loop the same as Actual
	Actual   time.Duration // when it was sent, or refused as client-overload
	Latency  time.Duration // from Intended to the end of the answer, or to the error

	Status int    // 0: no answer
	Cause  Cause  // OK, or why this is an error
	Detail string // of an error, for people; printable, one line
	Worker string // who answered, as X-Understudy-Worker says; may be empty
	Start  string // warm, spare or cold, as X-Understudy-Start says; else empty

	Queue, Service time.Duration // the parts Server-Timing names; negative where it does not
}

// measured tells whether the latency says something about the server: how long a refused connection took does not, how long a timeout
// took does.
func (r *Result) measured() bool { return r.Status != 0 || r.Cause == Timeout }

const (
	detailLength = 200
	workerLength = 64
)

// answered fills r with what came back to t.
func (r *Result) answered(t task, a answer) {
	r.Status = a.status
	r.Worker = printable(a.worker, workerLength)
	switch a.start {
	case "warm", "spare", "cold":
		r.Start = a.start
	}
	parts := parseTiming(a.timing)
	r.Queue, r.Service = parts.queue, parts.service
	if a.status < 200 || a.status > 299 {
		r.Cause, r.Detail = Status, statusDetail(a)
		return
	}
	if t.sum == nil {
		return
	}
	if err := checkSum(*t.sum, a.body); err != nil {
		r.Cause, r.Detail = WrongResult, printable(err.Error(), detailLength)
	}
}

// plainlyRight tells whether body begins as a right answer does. It spares decoding nearly every answer there is.
func plainlyRight(s arithmetic, body []byte) bool {
	var b [32]byte
	begin := strconv.AppendInt(append(b[:0], `{"res":`...), int64(s.result()), 10)
	rest, ok := bytes.CutPrefix(body, begin)
	return ok && len(rest) > 0 && (rest[0] == ',' || rest[0] == '}') && !bytes.Contains(rest, []byte(`"res"`)) && json.Valid(body)
}

// statusDetail prefers what problem+json says (RFC 9457) over the raw body.
func statusDetail(a answer) string {
	var problem struct{ Code, Title, Detail string }
	text := string(a.body)
	if json.Unmarshal(a.body, &problem) == nil && problem.Title+problem.Detail != "" {
		text = problem.Detail
		if text == "" {
			text = problem.Title
		}
		if problem.Code != "" {
			text = problem.Code + ": " + text
		}
	}
	return printable(fmt.Sprintf("%d %s", a.status, text), detailLength)
}

// checkSum compares the "res" of an answer with the result of s.
func checkSum(s arithmetic, body []byte) error {
	if plainlyRight(s, body) {
		return nil
	}
	var got struct{ Res json.Number }
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&got); err != nil {
		return fmt.Errorf("%v is %d, the answer was %q, which is no JSON object with a number res", s, s.result(), body)
	}
	if v, err := got.Res.Float64(); err != nil || v != float64(s.result()) {
		return fmt.Errorf("%v is %d, the answer was %q", s, s.result(), body)
	}
	return nil
}
