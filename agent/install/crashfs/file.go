package crashfs

import (
	"io"
	"slices"
)

// file is an open file. It stays the same node, whatever becomes of the name that it was opened by.
type file struct {
	fs   *FS
	path string
	node *node
	at   int64
}

func (f *file) Read(b []byte) (int, error) {
	if _, _, err := f.fs.begin("read", f.path); err != nil {
		return 0, err
	}
	if f.at >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.data[f.at:])
	f.at += int64(n)
	return n, nil
}

// Write appends. A write that fails has written half of its bytes.
func (f *file) Write(b []byte) (int, error) {
	c, _, err := f.fs.begin("write", f.path)
	if err != nil {
		b = b[:len(b)/2]
	}
	if f.at != int64(len(f.node.data)) {
		panic("crashfs: a write into the middle of " + f.path + " is not modelled")
	}
	f.node.data = append(slices.Clip(f.node.data), b...)
	f.at += int64(len(b))
	f.fs.end(c)
	return len(b), err
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	if _, _, err := f.fs.begin("seek", f.path); err != nil {
		return 0, err
	}
	if whence == io.SeekEnd {
		offset += int64(len(f.node.data))
	}
	f.at = offset
	return f.at, nil
}

func (f *file) Truncate(size int64) error {
	c, _, err := f.fs.begin("truncate", f.path)
	if err != nil {
		return err
	}
	f.node.data = slices.Clone(f.node.data[:size])
	f.fs.end(c)
	return nil
}

// Sync makes the content durable. After a sync that failed, what was written before it is lost for
// good, and the next sync reports no error. Linux behaves in this way (fsync(2), errors).
func (f *file) Sync() error {
	c, skip, err := f.fs.begin("sync", f.path)
	if err != nil {
		f.node.lost = true
		return err
	}
	if skip {
		return nil
	}
	if !f.node.lost {
		f.node.durable = slices.Clone(f.node.data)
	}
	f.fs.Model.synced(f.fs, 0)
	f.fs.end(c)
	return nil
}

func (f *file) Close() error {
	_, _, err := f.fs.begin("close", f.path)
	return err
}

// Fd is no file descriptor: nothing on this file system can be executed.
func (f *file) Fd() uintptr  { return ^uintptr(0) }
func (f *file) Name() string { return f.path }

func (f *file) Reserve(int64) error {
	_, _, err := f.fs.begin("reserve", f.path)
	return err
}
