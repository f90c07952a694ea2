package clitest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/events/version"
)

// versions are the builds of jujud that scripts use; juju is built once, as clientVersion.
var versions = []string{"1.22.0", "1.24.0", "1.24.1", "1.25.1"}

const clientVersion = "1.25.1"

const module = "github.com/jujube-project/jujube/"

// buildFlags are those of every build and of the question what the builds depend on: the
// programs are what packages hold, without the demo.
var buildFlags = []string{"-tags", "packaged", "-trimpath", "-buildvcs=false"}

// binaries is a directory with juju and the builds of jujud. They are built once for all
// test programs of this user: the directory is keyed by what the programs consist of, so a
// changed source file gives another directory.
//
// The order of steps matters. A test program first takes the common lock, and holds it until its
// directory exists and is in use. So one test program builds while the others wait, and nobody
// removes a directory between the look and the use. The builds are made in a directory of another
// name, which is renamed when they are whole. A directory is in use while a test program holds the
// directory's own lock; the kernel gives that back when the program ends. Directories of other keys
// that nobody uses are removed.
func binaries(t *testing.T) string {
	t.Helper()
	key := buildKey(t)
	all := filepath.Join(os.TempDir(), fmt.Sprintf("jujube-clitest-%d", os.Getuid()))
	if err := os.MkdirAll(all, 0o700); err != nil {
		t.Fatal(err)
	}
	unlock := lock(t, filepath.Join(all, "lock"), unix.LOCK_EX)
	defer unlock()
	bin := filepath.Join(all, key)
	if _, err := os.Stat(bin); errors.Is(err, os.ErrNotExist) {
		t.Logf("building juju and %d versions of jujud into %s", len(versions), bin)
		half := bin + ".half"
		if err := os.RemoveAll(half); err != nil {
			t.Fatal(err)
		}
		build(t, half)
		if err := os.Rename(half, bin); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(lock(t, bin+".lock", unix.LOCK_SH))
	removeOthers(t, all, key)
	return bin
}

// buildKey is a digest of what the programs consist of: the build ids of all packages that they
// link, and the versions that are stamped. A build id is itself a digest of a package's source, its
// compiler and its imports.
func buildKey(t *testing.T) string {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.BuildID}}"}, buildFlags...)
	cmd := exec.Command("go", append(args, module+"cmd/juju", module+"cmd/jujud")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var errs strings.Builder
	cmd.Stderr = &errs
	list, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errs.String())
	}
	sum := sha256.New()
	_, _ = sum.Write(list)
	fmt.Fprintln(sum, versions, clientVersion)
	return hex.EncodeToString(sum.Sum(nil))[:24]
}

func build(t *testing.T, dir string) {
	t.Helper()
	run := func(out, pkg, number string) {
		args := append([]string{"build"}, buildFlags...)
		args = append(args, "-ldflags=-s -w -X="+module+"events/version.stamp="+version.Stamp(number), "-o", filepath.Join(dir, out), module+pkg)
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", out, err, b)
		}
	}
	run("juju", "cmd/juju", clientVersion)
	for _, v := range versions {
		run("jujud-"+v, "cmd/jujud", v)
	}
}

// removeOthers removes the directories of other keys that no test program uses. The caller holds the
// common lock.
func removeOthers(t *testing.T, all, key string) {
	t.Helper()
	entries, err := os.ReadDir(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		dir := filepath.Join(all, e.Name())
		if !e.IsDir() || e.Name() == key {
			continue
		}
		f, err := openLock(dir+".lock", unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue // in use
		}
		if err == nil {
			err = errors.Join(os.RemoveAll(dir), os.Remove(dir+".lock"), f.Close())
		}
		if err != nil {
			t.Errorf("remove the builds in %s: %v", dir, err)
		}
	}
}

// lock waits for a lock of a file, exclusive (LOCK_EX) or shared (LOCK_SH).
func lock(t *testing.T, file string, how int) (unlock func()) {
	t.Helper()
	f, err := openLock(file, how)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = f.Close() }
}

func openLock(file string, how int) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", file, err), f.Close())
		}
	}
}
