package fleet

import "sync"

// Engine is what is known about whatever runs the workers: whether it is there. When it is not, workers may be out of reach together that
// live on, such as containers whose ports are forwarded by the engine, and nothing can be started in their place. So whoever doubts a worker
// asks about the engine first, and whoever watches the engine answers. All methods may be called concurrently.
//
// As long as nobody watches, it counts as there.
type Engine struct {
	mu        sync.Mutex
	watched   bool
	away      bool
	asked     uint64 // questions so far
	answered  uint64 // the last of them that was answered
	questions chan struct{}
	news      chan struct{}
}

func newEngine() *Engine {
	return &Engine{questions: make(chan struct{}, 1), news: make(chan struct{}, 1)}
}

// Engine is what is known about whatever runs this fleet's workers.
func (f *Fleet) Engine() *Engine { return f.engine }

// Ask asks whether the engine is there. It returns the number of the question, which is not 0, and never blocks.
func (e *Engine) Ask() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	signal(e.questions)
	return e.asked
}

// Vouched tells whether the engine was found there after that question was asked, and has not been missed since.
func (e *Engine) Vouched(question uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.watched || !e.away && e.answered >= question
}

// Away tells whether the engine was missed when it was last looked for.
func (e *Engine) Away() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.watched && e.away
}

// News receives a value soon after a question was answered, or the engine came back.
func (e *Engine) News() <-chan struct{} { return e.news }

// Questions receives a value soon after a question was asked.
func (e *Engine) Questions() <-chan struct{} { return e.questions }

// Watch says whether there is somebody from now on who answers.
func (e *Engine) Watch(watched bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watched = watched
	e.away = e.away && watched
	signal(e.news)
}

// Asked is the number of the last question. An answer to it that is found out from now on is one to all questions before.
func (e *Engine) Asked() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// Answer says what was found out after Asked returned that number.
func (e *Engine) Answer(question uint64, there bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !there {
		e.away = true
		return
	}
	if e.away || e.answered < question {
		signal(e.news)
	}
	e.away, e.answered = false, max(e.answered, question)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
