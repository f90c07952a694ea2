package agent

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Check is what a jujud says of itself before it is trusted with a machine.
type Check struct {
	Version version.Binary `json:"version"`
	Schema  int            `json:"journal_schema"`
	Tag     string         `json:"tag"` // of the machine whose configuration it could read
}

// SelfCheck reads what an agent of this build would need and says what it is.
func SelfCheck(dataDir, exe string) (Check, error) {
	conf, err := LoadConf(dataDir)
	if err != nil {
		return Check{}, err
	}
	own, err := OwnVersion(exe)
	if err != nil {
		return Check{}, err
	}
	if _, err := conf.Layout().ReadJournal(); err != nil {
		return Check{}, err
	}
	return Check{Version: own, Schema: install.JournalSchema, Tag: conf.Tag}, nil
}

// testTimeout bounds a self-test.
const testTimeout = 10 * time.Second

// testVersion lets a staged version check itself, as the program that it will be.
func testVersion(ctx context.Context, l install.Layout, want version.Binary) *events.Failure {
	exe := filepath.Join(l.Version(want.String()), "jujud")
	bad := func(code, format string, args ...any) *events.Failure {
		return &events.Failure{Step: "self-test", Cause: events.CauseVersion, Code: code, Text: fmt.Sprintf(format, args...)}
	}
	if err := checkELF(exe); err != nil {
		return bad("not-executable", "%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	out, err := runBusy(ctx, exe, "selfcheck", "--data-dir", l.Dir)
	if err != nil {
		f := bad("self-test", "jujud selfcheck of %s: %v", want, err)
		f.Output = string(out[max(0, len(out)-4000):])
		return f
	}
	var c Check
	if err := json.Unmarshal(out, &c); err != nil {
		return bad("self-test", "jujud selfcheck of %s gave no answer: %v", want, err)
	}
	if c.Version != want {
		return bad("other-version", "the archive of %s holds a jujud that says it is %s", want, c.Version)
	}
	return nil
}

// checkELF refuses a file that this processor cannot run, before it is run.
func checkELF(exe string) error {
	f, err := elf.Open(exe)
	if err != nil {
		return fmt.Errorf("%s is no program: %w", filepath.Base(exe), err)
	}
	defer func() { _ = f.Close() }()
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "386": elf.EM_386, "arm": elf.EM_ARM, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390}[runtime.GOARCH]
	if machine != elf.EM_NONE && f.Machine != machine {
		return fmt.Errorf("it is a program for %v, this machine is %s", f.Machine, runtime.GOARCH)
	}
	return nil
}

// runBusy runs a program that was just written: the kernel may still hold it as busy
// for a moment when another process forked while the file was open.
func runBusy(ctx context.Context, exe string, args ...string) ([]byte, error) {
	for {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(ctx, exe, args...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if errors.Is(err, syscall.ETXTBSY) {
			select {
			case <-time.After(20 * time.Millisecond):
				continue
			case <-ctx.Done():
			}
		}
		if err != nil {
			return append(out.Bytes(), errs.Bytes()...), err
		}
		return out.Bytes(), nil
	}
}
