package config

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// Watcher notices that files have changed, by looking at them once a second: size, time of modification, and which file it is. That also
// notices a file that was replaced by renaming another one, and a symbolic link that was switched, as Kubernetes switches config maps,
// and needs no watches that a network file system would not serve.
type Watcher struct {
	files func() []string

	mu     sync.Mutex
	loaded []sight // guarded by mu: as they were when last told about, or loaded
}

// sight is what one look at a file saw.
type sight struct {
	file string
	info fs.FileInfo // nil: it was not there
}

// NewWatcher remembers the file as it is now. Made before the file is loaded, it misses no change.
func NewWatcher(file string) *Watcher { return NewWatcherOf(func() []string { return []string{file} }) }

// NewWatcherOf watches several files that are loaded together, and is asked at each look which they are now: other files are a change too.
func NewWatcherOf(files func() []string) *Watcher {
	return &Watcher{files: files, loaded: look(files())}
}

// Loading says that the files are about to be loaded for another reason: how they are now is no change to be told about. It may be called
// concurrently with Run.
func (w *Watcher) Loading() { w.note(look(w.files())) }

// note remembers what is loaded. It reports whether that is a change.
func (w *Watcher) note(now []sight) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := !slices.EqualFunc(now, w.loaded, same)
	w.loaded = now
	return changed
}

// Run calls onChange, from the goroutine it runs in, whenever a file has changed and then all stayed the same for a second, so that one
// that is still being written is not read. A file that is gone is waited for. Run returns when ctx ends; it may be called once.
func (w *Watcher) Run(ctx context.Context, onChange func()) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	w.run(ctx, t.C, onChange)
}

// run looks at each tick. A change seen at one tick counts at the next, if nothing has changed again by then.
func (w *Watcher) run(ctx context.Context, ticks <-chan time.Time, onChange func()) {
	w.mu.Lock()
	last := w.loaded
	w.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		now := look(w.files())
		settled := slices.EqualFunc(now, last, same)
		last = now
		if settled && !slices.ContainsFunc(now, missing) && ctx.Err() == nil && w.note(now) {
			onChange()
		}
	}
}

// look follows symbolic links. A file that cannot be looked at is as good as gone: there would be nothing to load.
func look(files []string) []sight {
	list := make([]sight, len(files))
	for i, file := range files {
		list[i].file = file
		if info, err := os.Stat(file); err == nil {
			list[i].info = info
		}
	}
	return list
}

func missing(s sight) bool { return s.info == nil }

// same tells whether two looks saw one file, unchanged.
func same(a, b sight) bool {
	if a.info == nil || b.info == nil {
		return a.info == nil && b.info == nil && a.file == b.file
	}
	return a.file == b.file && os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}
