package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"understudy/client"
)

// reportFile is where a report will go. It is opened before the load begins, so that a name that cannot be written wastes nobody's
// minutes, and touched only by the first write: an earlier report survives a load that came to nothing.
type reportFile struct {
	file    *os.File
	fresh   bool // it was not there before
	written bool
}

// reportTo opens the file for a report; standard output when there is no name. Close it in any case.
func (s session) reportTo(name string) (io.WriteCloser, error) {
	if name == "" || name == "-" {
		return unclosed{s.out}, nil
	}
	wrong := func(why any) error {
		return usageError{fmt.Errorf("--output %s cannot be written: %v; give a file in a directory that exists", name, why)}
	}
	info, err := os.Stat(name)
	fresh := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !fresh:
		return nil, wrong(errors.Unwrap(err))
	case err == nil && info.IsDir():
		return nil, wrong("it is a directory")
	case err == nil && info.Mode().Perm()&0o222 == 0: // root may write to it all the same, but hardly means to
		return nil, wrong("it is read-only")
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, wrong(errors.Unwrap(err))
	}
	return &reportFile{file: file, fresh: fresh}, nil
}

// Write implements io.Writer.
func (r *reportFile) Write(b []byte) (int, error) {
	if !r.written {
		r.written = true
		if info, err := r.file.Stat(); err == nil && info.Mode().IsRegular() {
			if err := r.file.Truncate(0); err != nil {
				return 0, err
			}
		}
	}
	return r.file.Write(b)
}

// Close implements io.Closer. A new file that nothing was written to is removed again.
func (r *reportFile) Close() error {
	err := r.file.Close()
	if r.fresh && !r.written {
		err = errors.Join(err, os.Remove(r.file.Name()))
	}
	return err
}

// unclosed is a writer that belongs to somebody else.
type unclosed struct{ io.Writer }

// Close implements io.Closer.
func (unclosed) Close() error { return nil }

func (s session) writeReport(w io.Writer, f clientFlags, r *client.Report) error {
	switch f.format {
	case "json":
		return r.WriteJSON(w)
	case "csv":
		return r.WriteCSV(w)
	case "html":
		return r.WriteHTML(w)
	default:
		return r.WriteText(w, f.output == "" && s.colour(s.out))
	}
}

// verdict turns a report into an exit code: 3 when an assertion failed, 130 when a signal cut it short.
func (s session) verdict(r *client.Report) error {
	failed := false
	for _, o := range r.Assertions {
		if !o.OK {
			failed = true
			fmt.Fprintf(s.err, "assertion failed: %s: %s\n", o.Text, o.Got)
		}
	}
	switch {
	case failed:
		return assertionError{}
	case r.Interrupted:
		return interruptedError{}
	default:
		return nil
	}
}
