package local

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/logcopy"
)

// OpenLog opens the log of a state server that is down, from its data directory on this
// host: jujud, which has the NATS server that can read it, writes a copy into a temporary
// file. closeLog removes the file.
func OpenLog(ctx context.Context, dataDir string) (log events.Log, closeLog func(), err error) {
	jujud, err := findBeside(dataDir)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.CreateTemp("", "juju-log-")
	if err != nil {
		return nil, nil, fmt.Errorf("copy the log: %w", err)
	}
	closeLog = func() { _, _ = f.Close(), os.Remove(f.Name()) }
	size, err := jujud.copyLog(ctx, dataDir, f)
	if err == nil {
		log, err = logcopy.Open(f, size)
	}
	if err != nil {
		closeLog()
		return nil, nil, err
	}
	return log, closeLog, nil
}

// copyLog has jujud write a copy of the log to f, and returns its size.
func (j Jujud) copyLog(ctx context.Context, dataDir string, f *os.File) (int64, error) {
	cmd := exec.CommandContext(ctx, string(j), "log", "--data-dir", dataDir)
	out, said := bufio.NewWriter(f), bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Run(); err != nil {
		return 0, sayWhy(said.String(), fmt.Errorf("%s log: %w", j, err))
	}
	if err := out.Flush(); err != nil {
		return 0, fmt.Errorf("copy the log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("copy the log: %w", err)
	}
	return info.Size(), nil
}

// findBeside finds jujud as Find does, or else the one that runs machine 0. That one is
// started only if nobody but root and this user can have put it there.
func findBeside(dataDir string) (Jujud, error) {
	jujud, missing := Find("")
	if missing == nil {
		return jujud, nil
	}
	own := filepath.Join(dataDir, "tools", "machine-0", "jujud")
	if !executable(own) {
		return "", missing
	}
	for _, path := range []string{own, filepath.Dir(own), filepath.Join(dataDir, "tools"), dataDir} {
		if err := trusted(path); err != nil {
			return "", errors.Join(missing, fmt.Errorf("%s is not started: %w", own, err))
		}
	}
	return Jujud(own), nil
}

// trusted says why another user could have changed what lies at path.
func trusted(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is user %d's", path, st.Uid)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others can write %s", path)
	}
	return nil
}
