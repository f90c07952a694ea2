package confine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// This test program is also, as "tries", somebody who took a confined process over.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "tries" {
		tries(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// tries prints what a confined process can do.
func tries(open, secret string) {
	to, err := Lookup("nobody")
	if err == nil {
		var rest error
		rest, err = Become(to)
		err = errors.Join(rest, err)
	}
	if err != nil {
		fmt.Println("confine", err)
		os.Exit(1)
	}
	for _, try := range []struct {
		what string
		f    func() error
	}{
		{"become root", func() error { return syscall.Setuid(0) }},
		{"read a secret", func() error { _, err := os.ReadFile(secret); return err }},
		{"signal its parent", func() error { return syscall.Kill(os.Getppid(), 0) }},
		{"write a file", func() error { return os.WriteFile(filepath.Join(open, "file"), []byte("x"), 0o600) }},
		{"make a directory", func() error { return os.Mkdir(filepath.Join(open, "dir"), 0o700) }},
		{"run a program", func() error { return exec.Command("/bin/true").Run() }},
		{"read what everybody reads", func() error { _, err := os.ReadFile("/etc/passwd"); return err }},
	} {
		if try.f() == nil {
			fmt.Println("can", try.what)
		}
	}
	os.Exit(0)
}

// Who takes a confined process over has nothing of root, and can change nothing on the host. The
// program is built without C, as jujud is: in one with C, threads cannot be restricted.
func TestWhatAConfinedProcessCanDo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: what a process that gave root up can do is not shown")
	}
	open, err := os.MkdirTemp("", "open") // t.TempDir is below a directory of root's own
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(open) }()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.Chmod(open, 0o777), os.WriteFile(secret, []byte("s"), 0o600)); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "tries")
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program, "tries", open, secret).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "can read what everybody reads\n"
	if !landlock() {
		t.Log("this kernel has no Landlock: that the process cannot write or execute is not shown")
		want = "can write a file\ncan make a directory\ncan run a program\n" + want
	}
	if string(out) != want {
		t.Errorf("it can more, or less:\n%swant:\n%s", out, want)
	}
}

func landlock() bool {
	_, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return errno == 0
}
