package enginetest

import (
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
)

// book is what a container printed, in the order it did.
type book struct{ lines [][]byte }

// pen writes into a book.
type pen struct {
	engine *Engine
	book   *book
}

func (p *pen) Write(text []byte) (int, error) {
	p.engine.mu.Lock()
	defer p.engine.mu.Unlock()
	p.book.lines = append(p.book.lines, append([]byte{}, text...))
	p.engine.change()
	return len(text), nil
}

// Print makes a container print.
func (e *Engine) Print(id, text string) {
	e.operate(id, func(c *container) {
		c.printed.lines = append(c.printed.lines, []byte(text))
		e.change()
	})
}

// logs sends what a container printed; each write counts as one line for tail.
func (e *Engine) logs(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	c := e.find(r.PathValue("id"))
	e.mu.Unlock()
	if c == nil {
		refuse(w, http.StatusNotFound, "No such container: %s", r.PathValue("id"))
		return
	}
	q := r.URL.Query()
	follow := q.Get("follow") == "1" || q.Get("follow") == "true"
	next := -1
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		e.mu.Lock()
		if next < 0 {
			next = 0
			if tail, err := strconv.Atoi(q.Get("tail")); err == nil {
				next = max(0, len(c.printed.lines)-tail)
			}
		}
		news, over, changed := c.printed.lines[next:], !c.runs() || !follow, e.changed
		e.mu.Unlock()
		next += len(news)
		for _, line := range news {
			if frame(w, line) != nil {
				return
			}
		}
		if over {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// frame writes a piece of standard output as an engine packs it.
func frame(w io.Writer, text []byte) error {
	head := [8]byte{0: 1}
	binary.BigEndian.PutUint32(head[4:], uint32(len(text)))
	_, err := w.Write(append(head[:], text...))
	return err
}
