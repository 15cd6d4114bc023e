package config

import (
	"context"
	"io/fs"
	"os"
	"time"
)

// Watcher notices that a file has changed, by looking at it once a second: size, time of modification, and which file it is. That also
// notices a file that was replaced by renaming another one, and a symbolic link that was switched, as Kubernetes switches config maps,
// and needs no watches that a network file system would not serve.
type Watcher struct {
	file   string
	loaded fs.FileInfo // as it was when last told about; nil: it was not there
}

// NewWatcher remembers the file as it is now. Made before the file is loaded, it misses no change.
func NewWatcher(file string) *Watcher {
	return &Watcher{file: file, loaded: look(file)}
}

// Run calls onChange, from the goroutine it runs in, whenever the file has changed and then stayed the same for a second, so that one
// that is still being written is not read. A file that is gone is waited for. Run returns when ctx ends; it may be called once.
func (w *Watcher) Run(ctx context.Context, onChange func()) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	w.run(ctx, t.C, onChange)
}

// run looks at each tick. A change seen at one tick counts at the next, if nothing has changed again by then.
func (w *Watcher) run(ctx context.Context, ticks <-chan time.Time, onChange func()) {
	last := w.loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		now := look(w.file)
		settled := same(now, last)
		last = now
		if settled && now != nil && !same(now, w.loaded) && ctx.Err() == nil {
			w.loaded = now
			onChange()
		}
	}
}

// look follows symbolic links. A file that cannot be looked at is as good as gone: there would be nothing to load.
func look(file string) fs.FileInfo {
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	return info
}

// same tells whether two looks saw one file, unchanged.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
