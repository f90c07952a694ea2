package local

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/events/version"
)

// Jujud is the server software on this host: the path of its program.
type Jujud string

// Find finds jujud: where the flag says, beside this program, or in the PATH. A client from a
// package has none; the error then says what to do.
func Find(flag string) (Jujud, error) {
	if flag != "" {
		path, err := filepath.Abs(flag)
		return Jujud(path), err
	}
	if exe, err := os.Executable(); err == nil {
		if path := filepath.Join(filepath.Dir(exe), "jujud"); executable(path) {
			return Jujud(path), nil
		}
	}
	path, err := exec.LookPath("jujud")
	if err != nil {
		return "", app.Fail(errors.New("this needs jujud, the server software, and there is none beside juju or in the PATH"),
			"Nothing was changed.", "install jujud on this host, or name it: --jujud PATH; in the source, make build puts both into dist/")
	}
	return Jujud(path), nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// How long this client waits for a jujud that it runs, and how much of what it says is kept. A
// program that is no jujud may say anything, for ever.
const (
	versionTimeout   = 10 * time.Second
	bootstrapTimeout = 2 * time.Minute
	endDelay         = 2 * time.Second // for a jujud that has been told to end, or whose output somebody else holds open
	headBytes        = 64 << 10
)

// head takes headBytes and no more: who writes on is told, and then ends by SIGPIPE.
// The buffer is not embedded: its ReadFrom would take everything.
type head struct{ taken bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if len(p) > headBytes-h.taken.Len() {
		return 0, fmt.Errorf("it says more than %d bytes", headBytes)
	}
	return h.taken.Write(p)
}

func (h *head) String() string { return h.taken.String() }

// Version asks jujud what it is.
func (j Jujud) Version(ctx context.Context) (version.Binary, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, string(j), "version")
	var out head
	cmd.Stdout, cmd.WaitDelay = &out, endDelay
	if err := cmd.Run(); err != nil {
		return version.Binary{}, app.Fail(fmt.Errorf("ask %s for its version: %w", j, err), "Nothing was changed.", "name a jujud that runs here: --jujud PATH")
	}
	v, err := version.ParseBinary(strings.TrimSpace(out.String()))
	if err != nil {
		return v, app.Fail(fmt.Errorf("ask %s for its version: %w", j, err), "Nothing was changed.", "name a jujud: --jujud PATH")
	}
	return v, nil
}

// ErrTooOld is what the error of Bootstrap is when jujud does not know the command.
var ErrTooOld = errors.New("this jujud is older than juju, and cannot make an environment with it")

// usageCode is how jujud ends when its command line is wrong.
const usageCode = 2

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// Bootstrap has jujud make the data directory of a new environment's machine 0. sign makes
// the environment's first metadata for the keys that jujud made. When it returns an error,
// jujud has left nothing in the directory.
func (j Jujud) Bootstrap(ctx context.Context, dataDir string, p bootstrap.Plan, sign func(bootstrap.Keys) (bootstrap.Signed, error)) (bootstrap.Made, error) {
	ctx, cancel := context.WithTimeout(ctx, bootstrapTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, string(j), "bootstrap", "--data-dir", dataDir)
	var said head
	cmd.Stderr, cmd.WaitDelay = &said, endDelay
	in, err := cmd.StdinPipe()
	if err != nil {
		return bootstrap.Made{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return bootstrap.Made{}, err
	}
	if err := cmd.Start(); err != nil {
		return bootstrap.Made{}, fmt.Errorf("start %s: %w", j, err)
	}
	var unsigned error
	made, asked := bootstrap.Ask(in, out, p, func(k bootstrap.Keys) (s bootstrap.Signed, err error) {
		s, unsigned = sign(k)
		return s, unsigned
	})
	_ = in.Close() // jujud that still waits for something ends now
	if asked != nil {
		defer time.AfterFunc(endDelay, cancel).Stop() // and what does not end is killed
	}
	ended := cmd.Wait()
	switch {
	case unsigned != nil:
		return made, unsigned
	case exitCode(ended) == usageCode:
		return made, fmt.Errorf("%w: %s says: %w", ErrTooOld, j, sayWhy(said.String(), ended))
	case ended != nil:
		return made, fmt.Errorf("%s bootstrap: %w", j, sayWhy(said.String(), cmp.Or(asked, ended)))
	}
	return made, asked
}

// sayWhy is what a jujud that failed said, or else how it ended.
func sayWhy(said string, ended error) error {
	if text := strings.TrimPrefix(strings.TrimSpace(said), "ERROR "); text != "" {
		return errors.New(text)
	}
	return ended
}
