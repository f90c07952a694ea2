package crashfs

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/jujube-project/jujube/host"
)

func bad(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }

// Open opens a file to read it.
func (f *FS) Open(path string) (host.File, error) {
	if _, _, err := f.begin("open", path); err != nil {
		return nil, err
	}
	return f.open(path)
}

func (f *FS) open(path string) (host.File, error) {
	id, err := f.find("open", path)
	if err != nil {
		return nil, err
	}
	if f.nodes[id].kind != 0 {
		return nil, bad("open", path, syscall.EISDIR)
	}
	return &file{fs: f, path: path, node: f.nodes[id]}, nil
}

// Append opens a file to append to it, and makes the file if it does not exist.
func (f *FS) Append(path string) (host.File, error) {
	c, _, err := f.begin("append", path)
	if err != nil {
		return nil, err
	}
	if _, err := f.find("append", path); err != nil {
		if err := f.make(path, 0, ""); err != nil {
			return nil, err
		}
		f.end(c)
	}
	return f.open(path)
}

// Create makes a new file.
func (f *FS) Create(path string, _ fs.FileMode) (host.File, error) {
	if err := f.made("create", path, 0, ""); err != nil {
		return nil, err
	}
	return f.open(path)
}

// Mkdir makes a directory.
func (f *FS) Mkdir(path string) error { return f.made("mkdir", path, fs.ModeDir, "") }

// Symlink makes a link.
func (f *FS) Symlink(target, path string) error {
	return f.made("symlink", path, fs.ModeSymlink, target)
}

func (f *FS) made(op, path string, kind fs.FileMode, target string) error {
	c, _, err := f.begin(op, path)
	if err == nil {
		err = f.make(path, kind, target)
	}
	if err == nil {
		f.end(c)
	}
	return err
}

func (f *FS) make(path string, kind fs.FileMode, target string) error {
	dir, err := f.find("make", filepath.Dir(path))
	if err != nil {
		return err
	}
	name := filepath.Base(path)
	if _, ok := f.nodes[dir].names[name]; ok || dir == root && name == "/" {
		return bad("make", path, syscall.EEXIST)
	}
	id := f.add(kind)
	f.nodes[id].target = target
	f.change(change{dir: dir, to: name, node: id})
	return nil
}

// ReadDir lists a directory.
func (f *FS) ReadDir(path string) ([]string, error) {
	if _, _, err := f.begin("read dir", path); err != nil {
		return nil, err
	}
	id, err := f.find("read dir", path)
	if err != nil {
		return nil, err
	}
	if !f.nodes[id].kind.IsDir() {
		return nil, bad("read dir", path, syscall.ENOTDIR)
	}
	return slices.Sorted(maps.Keys(f.nodes[id].names)), nil
}

// Kind is the type of what a path leads to; it does not follow links.
func (f *FS) Kind(path string) (fs.FileMode, error) {
	if _, _, err := f.begin("kind", path); err != nil {
		return 0, err
	}
	id, err := f.find("kind", path)
	if err != nil {
		return 0, err
	}
	return f.nodes[id].kind, nil
}

// Readlink reads a link.
func (f *FS) Readlink(path string) (string, error) {
	if _, _, err := f.begin("readlink", path); err != nil {
		return "", err
	}
	id, err := f.find("readlink", path)
	if err != nil {
		return "", err
	}
	if f.nodes[id].kind != fs.ModeSymlink {
		return "", bad("readlink", path, syscall.EINVAL)
	}
	return f.nodes[id].target, nil
}

// Remove removes a file, a link, or an empty directory.
func (f *FS) Remove(path string) error {
	c, _, err := f.begin("remove", path)
	if err != nil {
		return err
	}
	id, err := f.find("remove", path)
	if err != nil {
		return err
	}
	if len(f.nodes[id].names) > 0 {
		return bad("remove", path, syscall.ENOTEMPTY)
	}
	dir, err := f.find("remove", filepath.Dir(path))
	if err != nil {
		return err
	}
	f.change(change{dir: dir, to: filepath.Base(path)})
	f.end(c)
	return nil
}

// Rename gives a file, a link or a directory another name in the same directory.
func (f *FS) Rename(from, to string) error {
	c, _, err := f.begin("rename", to)
	if err != nil {
		return err
	}
	if filepath.Dir(from) != filepath.Dir(to) {
		panic("crashfs: a rename from one directory to another is not modelled: " + from + " to " + to)
	}
	id, err := f.find("rename", from)
	if err != nil {
		return err
	}
	if there, err := f.find("rename", to); err == nil && (f.nodes[there].kind.IsDir() || f.nodes[id].kind.IsDir()) {
		return bad("rename", to, syscall.EEXIST)
	}
	dir, err := f.find("rename", filepath.Dir(to))
	if err != nil {
		return err
	}
	f.change(change{dir: dir, from: filepath.Base(from), to: filepath.Base(to), node: id})
	f.end(c)
	return nil
}

// SyncDir makes the names in a directory durable.
func (f *FS) SyncDir(path string) error {
	c, skip, err := f.begin("sync dir", path)
	if err != nil || skip {
		return err
	}
	id, err := f.find("sync dir", path)
	if err != nil {
		return err
	}
	f.Model.synced(f, id)
	f.end(c)
	return nil
}

// Free is the free space.
func (f *FS) Free(path string) (int64, error) {
	_, _, err := f.begin("free", path)
	return f.Space, err
}
