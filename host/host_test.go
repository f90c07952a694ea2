package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// An error before the rename leaves the old content and nothing beside it.
func TestAWriteThatFailsChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	errFill := errors.New("the source ended")
	err := WriteStream(path, 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "half of the n")
		return errors.Join(err, errFill)
	})
	if !errors.Is(err, errFill) {
		t.Errorf("the error is %v", err)
	}
	holds(t, dir, "file", "old", 0o600)
}

// A power cut in the middle of a write leaves a file beside the old one. The next write
// removes it: such files do not add up, and no half of a secret stays.
func TestAWriteRemovesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path+".new", []byte("half of a sec"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "file", "secret", 0o600)
}

// Whoever can read a directory can lock it for ever. That must not stop who writes there.
func TestAWriteDoesNotWaitForWhoLocksTheDirectory(t *testing.T) {
	dir := t.TempDir()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "file"), []byte("written")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "file", "written", 0o600)
}

// The mode is what was asked for, whatever the umask, and a link is replaced, not followed.
func TestWhatAWriteReplaces(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	path := filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(victim, []byte("untouched"), 0o600), os.Symlink(victim, path)); err != nil {
		t.Fatal(err)
	}
	defer unix.Umask(unix.Umask(0o077))
	err := WriteStream(path, 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "file", "new", 0o644)
	holds(t, filepath.Dir(victim), "victim", "untouched", 0o600)
}

// Many writers of one file: what is there at last is one of theirs, whole.
func TestWritersOfOneFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := WriteFile(path, []byte(strings.Repeat(fmt.Sprint(i), 100_000))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 100_000 || strings.Trim(string(b), string(b[:1])) != "" {
		t.Errorf("%d bytes, of several writers, %v", len(b), err)
	}
	holds(t, dir, "file", string(b), 0o600)
}

// holds checks that a directory has exactly one file, with that content and mode.
func holds(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Fatalf("the directory has %v, %v", entries, err)
	}
	info, err := os.Lstat(filepath.Join(dir, name))
	if err != nil || info.Mode() != mode {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != content {
		t.Errorf("it holds %.20q, %v", b, err)
	}
}

func TestSecretsAreTheirOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, size int, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, make([]byte, size), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.Symlink(file("its target", 1, 0o600), link), unix.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file("the owner reads it", 1, 0o400):           "",
		file("of the largest size", 1<<20, 0o600):      "",
		file("too large", 1<<20+1, 0o600):              "it has more than 1048576 bytes",
		file("the group reads it", 1, 0o640):           "others can read it",
		file("everybody writes it", 1, 0o602):          "others can read it",
		link:                                           "it is a symbolic link",
		pipe:                                           "it is no file",
		filepath.Join(dir, "it is missing altogether"): "no such file",
	} {
		_, err := ReadSecret(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", filepath.Base(path), err, want)
		}
	}
}

func TestALockIsOfOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = TryLock(path)
	if !errors.Is(err, ErrLocked) || !strings.HasSuffix(err.Error(), fmt.Sprintf("lock is held by process %d", os.Getpid())) {
		t.Errorf("while it is held: %v", err)
	}
	second := make(chan error)
	go func() {
		unlock, err := Lock(path)
		if err == nil {
			unlock()
		}
		second <- err
	}()
	unlock()
	if err := <-second; err != nil {
		t.Errorf("waiting for it: %v", err)
	}
}

// A process is told from others by its start; a zombie has ended.
func TestStartTicks(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	first, err := StartTicks(cmd.Process.Pid)
	again, errAgain := StartTicks(cmd.Process.Pid)
	own, errOwn := StartTicks(os.Getpid())
	if err != nil || errAgain != nil || errOwn != nil || first != again || first < own || own == 0 {
		t.Errorf("cat began at %d, then at %d, this process at %d: %v", first, again, own, errors.Join(err, errAgain, errOwn))
	}
	if err := errors.Join(in.Close(), waitWithoutReaping(cmd.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	if _, err := StartTicks(cmd.Process.Pid); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("of a zombie: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := StartTicks(cmd.Process.Pid); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a process that is gone: %v", err)
	}
}

func waitWithoutReaping(pid int) error {
	return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
}

func TestSeries(t *testing.T) {
	for text, want := range map[string]string{
		"NAME=Ubuntu\nVERSION_CODENAME=trusty\n": "trusty",
		"VERSION_CODENAME=\"noble\"":             "noble",
		"NAME=Alpine\n":                          genericSeries,
		"VERSION_CODENAME=\n":                    genericSeries,
		"VERSION_CODENAME=../evil\n":             genericSeries,
	} {
		path := filepath.Join(t.TempDir(), "os-release")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := seriesOf(path); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := seriesOf(filepath.Join(t.TempDir(), "missing")); got != genericSeries {
		t.Errorf("without the file: %s", got)
	}
}

func TestRetryWaitsLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var tries []time.Duration
		err := Backoff{Min: time.Second, Max: 5 * time.Second}.Retry(t.Context(), func() error {
			if tries = append(tries, time.Since(began)); len(tries) < 5 {
				return errors.New("not yet")
			}
			return nil
		})
		if got := fmt.Sprint(tries); err != nil || got != "[0s 1s 3s 7s 12s]" {
			t.Errorf("tried at %s, %v", got, err)
		}
	})
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		tries := 0
		err := Backoff{Min: time.Minute, Max: time.Minute}.Retry(ctx, func() error { tries++; return errors.New("never") })
		if !errors.Is(err, context.DeadlineExceeded) || tries != 2 {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}

func TestJitterShortensAPause(t *testing.T) {
	b := Backoff{Min: 10 * time.Second, Max: time.Minute, Jitter: 0.2}
	seen := map[time.Duration]bool{}
	for range 100 {
		d := b.Pause(0)
		if d < 8*time.Second || d > 10*time.Second {
			t.Fatalf("a pause of %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 2 {
		t.Error("all pauses are the same")
	}
}

// Many pokes before the loop looks are one, and none blocks.
func TestPokesAreOne(t *testing.T) {
	p := NewPoke()
	p.Send()
	p.Send()
	<-p
	select {
	case <-p:
		t.Error("a second token")
	default:
	}
	Poke(nil).Send()
}
