package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// tree is a Source on disk.
type tree struct {
	directory
	trust Trust
}

// List implements Source.
func (t tree) List(_ context.Context, stream string) (Listing, error) {
	return t.trust.list(stream, t.String(), t.small)
}

// directory is the tools directory of a tree.
type directory string

// toolsDir finds the tools directory: base itself, or the one in it.
func toolsDir(base string) (string, error) {
	info, err := os.Stat(base)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no directory", base)
	}
	if _, err := os.Stat(filepath.Join(base, "streams")); err == nil {
		return base, nil
	}
	return filepath.Join(base, "tools"), nil
}

func (d directory) String() string { return string(d) }

// small reads a small file whole. It is a getter.
func (d directory) small(path string, limit int64) ([]byte, error) {
	f, err := openRegular(d.path(path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := readAll(f, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return b, nil
}

// path is the file on this host of a path of the metadata, which has slashes.
func (d directory) path(path string) string {
	return filepath.Join(string(d), filepath.FromSlash(path))
}

// Fetch implements Source.
func (d directory) Fetch(_ context.Context, f Found, offset int64) (io.ReadCloser, error) {
	file, err := openRegular(d.path(f.Path))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, errors.Join(err, file.Close()))
	}
	return &exact{ReadCloser: file, f: f, where: d.String(), left: f.Size - offset}, nil
}

// Local is the path of an archive of a source that is a directory on this host. It checks that
// the file is regular and has the length that is listed.
func Local(src Source, f Found) (path string, local bool, err error) {
	d, local := src.(tree)
	if !local {
		return "", false, nil
	}
	path = d.path(f.Path)
	file, err := openRegular(path)
	if err != nil {
		return path, true, fmt.Errorf("%w: %w", ErrSource, err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() != f.Size {
		err = fmt.Errorf("%w: %s: expected %d bytes, found %d", ErrSource, path, f.Size, info.Size())
	}
	return path, true, errors.Join(err, file.Close())
}

// openRegular opens a regular file, or a link to one. It refuses everything else, because to
// open a pipe could wait for ever.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file")}
	}
	return os.Open(name)
}
