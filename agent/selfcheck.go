package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
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
	Tag     string         `json:"tag"`           // of the machine whose configuration it could read
	Bus     string         `json:"bus,omitempty"` // why it could not connect with this machine's credentials
}

// SelfCheck reads what an agent of this build would need, connects to the bus as it would,
// and says what it is.
func SelfCheck(ctx context.Context, dataDir, exe string, connect func(context.Context, Conf) error) (Check, error) {
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
	c := Check{Version: own, Schema: install.JournalSchema, Tag: conf.Tag}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := connect(ctx, conf); err != nil {
		c.Bus = clipText(err.Error(), 1000)
	}
	return c, nil
}

// How often a self-test is tried when only the bus cannot be reached.
const (
	connectTimeout = 8 * time.Second
	testTries      = 3  // with the bus in reach of this process all the while: then it is the version
	testTriesAway  = 60 // with the bus away for this process too
)

// test lets a staged version check itself, as the program that it will be. That it cannot
// reach the bus is held against it only when this version can.
func (a *Agent) test(ctx context.Context, want version.Binary) *events.Failure {
	alone := 0
	for try := 1; ; try++ {
		before := a.cfg.Bus.Connected()
		c, f := runSelfCheck(ctx, a.layout, want, a.guest)
		if f != nil || c.Bus == "" {
			return f
		}
		a.cfg.Logger.Warn("the new version does not reach the bus", "version", want.String(), "err", c.Bus, "this one does", before)
		if alone++; !before || !a.cfg.Bus.Connected() {
			alone = 0
		}
		switch {
		case alone >= testTries:
			return &events.Failure{
				Step: "self-test", Cause: events.CauseVersion, Code: events.CodeCannotConnect,
				Text: clipText(fmt.Sprintf("%s cannot connect to the bus with this machine's credentials, while %s is connected: %s", want, a.cfg.Own, c.Bus), maxText),
			}
		case try >= testTriesAway:
			return &events.Failure{
				Step: "self-test", Cause: events.CauseEnvironment, Code: events.CodeBusAway,
				Text: clipText(fmt.Sprintf("neither %s nor %s reached the bus: %s", a.cfg.Own, want, c.Bus), maxText),
			}
		}
		if err := selfTestPauses.Wait(ctx, try-1); err != nil {
			return failure("self-test", err)
		}
	}
}

// runSelfCheck runs `jujud selfcheck` of a staged version once.
func runSelfCheck(ctx context.Context, l install.Layout, want version.Binary, guest confines) (c Check, f *events.Failure) {
	exe := filepath.Join(l.Version(want.String()), "jujud")
	bad := func(code, format string, args ...any) (Check, *events.Failure) {
		return c, &events.Failure{Step: "self-test", Cause: events.CauseVersion, Code: code, Text: clipText(fmt.Sprintf(format, args...), maxText)}
	}
	if code, err := checkProgram(exe, want); err != nil {
		return bad(code, "%v", err)
	}
	out, err := guest.run(ctx, exe, "selfcheck", "--data-dir", l.Dir)
	if err != nil && ctx.Err() != nil { // it was cut off; that says nothing about the version
		return c, failure("self-test", ctx.Err())
	}
	if err != nil && isHosts(err) {
		return c, failure("self-test", fmt.Errorf("start %s: %w", exe, err))
	}
	if err != nil {
		_, f := bad(events.CodeSelfCheck, "jujud selfcheck of %s: %v", want, err)
		f.Output = lines(out)
		return c, f
	}
	if err := json.Unmarshal(out, &c); err != nil {
		return bad(events.CodeSelfCheck, "jujud selfcheck of %s gave no answer: %v", want, err)
	}
	if c.Version != want {
		return bad(events.CodeVersionMismatch, "the archive of %s holds a jujud that says it is %s", want, c.Version)
	}
	return c, nil
}

// isHosts says whether a program could not be started because the host has too little of
// something: memory, processes, open files, room on the disk. That is no fault of the program.
func isHosts(err error) bool {
	scarce := []error{syscall.ENOMEM, syscall.EAGAIN, syscall.EMFILE, syscall.ENFILE, syscall.EIO, syscall.ENOSPC}
	return slices.ContainsFunc(scarce, func(e error) bool { return errors.Is(err, e) })
}
