package tools

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// terminal is a terminal of 80 columns: what a program writes to it, and its other end.
func terminal(t *testing.T) (tty, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(other.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return tty, other
}

// copying plays the copy of one archive and returns what was shown on the way.
func copying(t *testing.T, a app.App) string {
	t.Helper()
	tty, other := terminal(t)
	a.Stderr = tty
	shown := make(chan string)
	go func() {
		var all []byte
		buf := make([]byte, 4096)
		for {
			n, err := other.Read(buf)
			all = append(all, buf[:n]...)
			if err != nil { // the terminal has no writer left
				shown <- string(all)
				return
			}
		}
	}()
	v, err := version.ParseBinary("1.25.1-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	b := newBars(&a)
	p := b.add(tools.Tools{Version: v, Size: 1000}, 2)
	p.step(0)(500)
	p.step(0)(1000)
	p.step(1)(1000)
	b.wait()
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	return <-shown
}

func TestATerminalSeesABar(t *testing.T) {
	if got := copying(t, app.App{}); !strings.Contains(got, "1.25.1-trusty-amd64") || !strings.Contains(got, "100 %") || !strings.Contains(got, "=]") {
		t.Errorf("a terminal sees %q", got)
	}
	if got := copying(t, app.App{Quiet: true}); got != "" {
		t.Errorf("with --quiet it sees %q", got)
	}
	if got := copying(t, app.App{Debug: true}); strings.Contains(got, "%") || !strings.Contains(got, "copying 1.25.1-trusty-amd64 (1000 B)") {
		t.Errorf("with --debug, whose lines a bar would tear apart, it sees %q", got)
	}
}
