package process

// Mark is in the environment of all workers of a driver, and of all that these start. Between the start of a worker and the word of its group is
// a moment, of which a busy machine can make milliseconds: what the worker has started until then is found by it.
type Mark struct {
	Token   string // nobody else's; empty: there is no mark
	Session uint64 // ours: what has left it on purpose is left alone, as by Stop
}

// markKey is the environment variable that has the token.
const markKey = "UNDERSTUDY_MARK"

// NewMark makes a mark of this process.
func NewMark(token string) Mark { return Mark{Token: token, Session: session()} }
