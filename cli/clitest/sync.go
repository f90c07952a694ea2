package clitest

import (
	"bufio"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// noise FILE MIB writes a file that does not compress.
func noise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: noise FILE MIB")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), int64(number(ts, args[1]))<<20)
	ts.Check(err)
	ts.Check(f.Close())
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// killsync client|agent ENVIRONMENT MIB SYNC-TOOLS-FLAGS... runs juju sync-tools. When the state
// server's store has grown by that size it kills the command (client) or the state server's agent
// (agent), and waits until the command has ended.
func killSync(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || (args[0] != "client" && args[0] != "agent") {
		ts.Fatalf("usage: killsync client|agent ENVIRONMENT MIB FLAGS...")
	}
	bin, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator))
	cmd := exec.Command(filepath.Join(bin, "juju"), append([]string{"sync-tools", "-e", args[1]}, args[3:]...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "JUJU_DATA="+ts.Getenv("JUJU_DATA"))
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	store := filepath.Join(ts.Getenv("JUJU_DATA"), "machines", args[1], "0", "server", "jetstream")
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	before := size(store)
	for size(store)-before < int64(number(ts, args[2]))<<20 {
		select {
		case err := <-ended:
			ts.Fatalf("it ended before: %v", err)
		case <-look.C:
		}
	}
	pid := cmd.Process.Pid
	if args[0] == "agent" {
		pid = agentPID(ts, args[1], "0")
	}
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	if err := <-ended; err == nil {
		ts.Fatalf("it ended well")
	}
}

// size adds up the files of a directory. Files that vanish meanwhile do not count.
func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// peak ENVIRONMENT MIB fails if the state server's agent ever had more memory than that.
func peak(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: peak ENVIRONMENT MIB")
	}
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(agentPID(ts, args[0], "0")), "status"))
	ts.Check(err)
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, ok := strings.CutPrefix(lines.Text(), "VmHWM:")
		if !ok {
			continue
		}
		kib := number(ts, strings.Fields(text)[0])
		ts.Logf("the state server's agent had up to %d KiB", kib)
		if kib > number(ts, args[1])<<10 {
			ts.Fatalf("that is more than %s MiB", args[1])
		}
		return
	}
}
