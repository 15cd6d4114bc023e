package docker

import (
	"context"
	"sync"
)

// memo finds or makes each thing once, however many ask at a time, and remembers it. What fails is not remembered, and what is
// remembered is good until a fresh search has found something: nobody waits for that but those who asked for it.
// The zero value is ready.
type memo[V any] struct {
	mu    sync.Mutex
	known map[string]*flight[V] // guarded by mu
	fresh map[string]*flight[V] // guarded by mu; searches under way for what is known
}

// flight is one search under way or over.
type flight[V any] struct {
	done  chan struct{} // closed when value and err are set
	value V
	err   error
}

// get returns what is remembered under key, or waits for find, which spawn runs in the background: whoever asked first may
// leave without taking it away from the others. fresh: what is remembered does not count.
func (m *memo[V]) get(ctx context.Context, key string, fresh bool, spawn func(func(context.Context)) error, find func(context.Context) (V, error)) (V, error) {
	f, err := m.join(key, fresh, spawn, find)
	if err != nil {
		var none V
		return none, err
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none V
		return none, context.Cause(ctx)
	}
}

func (m *memo[V]) join(key string, fresh bool, spawn func(func(context.Context)) error, find func(context.Context) (V, error)) (*flight[V], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	into := &m.known
	if f := m.known[key]; f != nil {
		if !fresh || f.underway() {
			return f, nil
		}
		into = &m.fresh
		if f := m.fresh[key]; f != nil {
			return f, nil
		}
	}
	f := &flight[V]{done: make(chan struct{})}
	err := spawn(func(ctx context.Context) {
		f.value, f.err = find(ctx)
		m.land(key, f)
		close(f.done)
	})
	if err != nil {
		return nil, err
	}
	if *into == nil {
		*into = map[string]*flight[V]{}
	}
	(*into)[key] = f
	return f, nil
}

func (f *flight[V]) underway() bool {
	select {
	case <-f.done:
		return false
	default:
		return true
	}
}

// land remembers what a search has found, or forgets it.
func (m *memo[V]) land(key string, f *flight[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fresh[key] == f {
		delete(m.fresh, key)
		if f.err == nil {
			m.known[key] = f
		}
		return
	}
	if f.err != nil && m.known[key] == f {
		delete(m.known, key)
	}
}

// found returns what is remembered.
func (m *memo[V]) found() (all []V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.known {
		if !f.underway() {
			all = append(all, f.value)
		}
	}
	return all
}

// forget forgets everything that is not under way.
func (m *memo[V]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, f := range m.known {
		if !f.underway() {
			delete(m.known, key)
		}
	}
}
