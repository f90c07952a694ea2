package launcher_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/install/crashfs"
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
)

// The versions of the story. The first is the copy that the machine was installed with.
const (
	v1 = "1.20.0-trusty-amd64"
	v2 = "1.24.0-trusty-amd64"
	v3 = "1.25.1-trusty-amd64"
	v4 = "1.26.0-trusty-amd64" // never proves itself
)

const installedExe = "/opt/jujud"

// cutHost is a machine: what lies on its disk, and what is known elsewhere.
type cutHost struct {
	disk  *crashfs.FS
	order agent.Ordered              // the newest; its Seq is 0 before the first
	cuts  int                        // of the power, so far
	kills int                        // of the processes, so far
	begun bool                       // a launcher has run here
	asked map[string]bool            // versions that the launcher was told are healthy
	kept  string                     // the version whose commit was acknowledged last
	maybe string                     // a version whose commit was begun since then
	ends  map[string]map[string]bool // order → kinds of its end
}

func newHost(t *testing.T, m crashfs.Model) *cutHost {
	t.Helper()
	h := &cutHost{disk: crashfs.New(m), asked: map[string]bool{v1: true}, ends: map[string]map[string]bool{}}
	check(t, h.disk.Mkdir("/opt"), h.disk.Mkdir("/data"))
	f, err := h.disk.Create(installedExe, 0o755)
	check(t, err)
	_, err = f.Write(program(v1))
	check(t, err, f.Close())
	h.disk.SyncAll()
	return h
}

// on is the same host with another disk.
func (h *cutHost) on(disk *crashfs.FS) *cutHost {
	c := *h
	c.disk, c.asked, c.ends = disk, maps.Clone(h.asked), map[string]map[string]bool{}
	for order, kinds := range h.ends {
		c.ends[order] = maps.Clone(kinds)
	}
	return &c
}

func (h *cutHost) layout() install.Layout {
	return install.Layout{Dir: "/data", Machine: "3", Disk: h.disk}
}

func program(name string) []byte { return []byte("the jujud of " + name) }

// packed is the archive of a version.
var packed = func() func(string) []byte {
	all := map[string][]byte{}
	return func(name string) []byte {
		if all[name] == nil {
			var b bytes.Buffer
			if err := archive.Pack(&b, archive.File{Name: archive.Jujud, Size: int64(len(program(name))), Body: bytes.NewReader(program(name))}); err != nil {
				panic(err)
			}
			all[name] = b.Bytes()
		}
		return all[name]
	}
}()

func binary(name string) version.Binary {
	v, err := version.ParseBinary(name)
	if err != nil {
		panic(err)
	}
	return v
}

// give issues an order from one version to another.
func (h *cutHost) give(from, to string) {
	sum := sha256.Sum256(packed(to))
	h.order = agent.Ordered{Seq: h.order.Seq + 1, Now: time.Unix(1, 0), Order: events.OrderIssued{
		Order: fmt.Sprintf("o%d", h.order.Seq+1), Machine: "3", From: binary(from).Number, Expires: time.Unix(2, 0),
		Tools: tools.Tools{Version: binary(to), Size: int64(len(packed(to))), SHA256: hex.EncodeToString(sum[:])},
	}}
}

// tooMany is how many starts in a row are a loop.
const tooMany = 12

// live starts a launcher and lets it start agents until one stays.
func (h *cutHost) live() error {
	l := launcher.NewStarts(launcher.Config{Layout: h.layout(), Exe: installedExe, Version: v1, Logger: slog.New(slog.DiscardHandler)})
	if err := h.layout().Prepare(); err != nil {
		return err
	}
	for range tooMany {
		name, err := l.Next()
		if err != nil {
			return err
		}
		h.begun = true
		stays, err := h.agent(l, name)
		if stays || err != nil {
			return err
		}
	}
	return fmt.Errorf("%d starts and no end", tooMany)
}

// agent is the life of one agent process: the real state machine, and of its effects those
// on the disk. It stays when there is nothing left to do.
func (h *cutHost) agent(l launcher.Starts, name string) (stays bool, err error) {
	j, err := h.layout().ReadJournal()
	if err != nil && !errors.Is(err, install.ErrJournal) {
		return false, nil // it ends, and is started again
	}
	_ = h.layout().CollectGarbage(name)
	s := agent.State{Journal: j, Machine: "3", Running: binary(name), Reached: binary(name).Number, PID: 1}
	inputs := []agent.Input{agent.Started{}}
	if h.order.Seq > 0 {
		inputs = append(inputs, h.order)
	}
	for tries := 0; len(inputs) > 0; tries++ {
		next, effects := agent.Step(s, inputs[0])
		more, ends, err := h.doAll(l, next, effects)
		switch {
		case ends:
			return false, nil
		case err != nil && tries > tooMany:
			return false, err
		case err == nil: // else the step is taken again
			s, inputs = next, append(more, inputs[1:]...)
		}
	}
	return true, nil
}

func (h *cutHost) doAll(l launcher.Starts, s agent.State, effects []agent.Effect) (inputs []agent.Input, ends bool, err error) {
	for _, e := range effects {
		in, ends, err := h.do(l, s, e)
		if ends || err != nil {
			return nil, ends, err
		}
		if in != nil {
			inputs = append(inputs, in)
		}
	}
	return inputs, false, nil
}

func (h *cutHost) do(l launcher.Starts, s agent.State, e agent.Effect) (in agent.Input, ends bool, err error) {
	disk := h.layout()
	switch e := e.(type) {
	case agent.Save:
		return nil, false, disk.WriteJournal(e.Journal)
	case agent.Tell:
		h.told(e.Report)
	case agent.Judge:
		return agent.Judged{Order: e.Order.ID, Before: e.Before}, false, nil
	case agent.Download:
		return agent.Downloaded{Order: e.Order.ID, Failure: faulty(h.download(e.Order.Tools))}, false, nil
	case agent.Stage:
		return agent.Staged{Order: e.Order.ID, Failure: faulty(disk.Stage(e.Order.Tools, e.InUse...))}, false, nil
	case agent.Test:
		return agent.Tested{Order: e.Order.ID}, false, nil
	case agent.Undo:
		return agent.Undone{Order: e.Order, To: e.To}, false, nil
	case agent.Switch:
		return agent.Switched{Order: e.Order.ID, Failure: faulty(disk.Switch(e.Order.Tools.Version.String()))}, false, nil
	case agent.TakeSteps:
		return agent.Stepped{Order: e.Order}, false, nil
	case agent.Prove:
		return h.prove(l, s)
	case agent.Collect:
		_ = disk.CollectGarbage(e.Keep...)
	case agent.Restart:
		return nil, true, nil
	}
	return nil, false, nil
}

// prove says that the version is healthy, unless it is the one that never is.
func (h *cutHost) prove(l launcher.Starts, s agent.State) (in agent.Input, ends bool, err error) {
	name := s.Running.String()
	if name == v4 {
		l.Crashed(name)
		return nil, true, nil
	}
	h.asked[name], h.maybe = true, name
	j, ok := l.Healthy(s.Order.ID)
	for range 3 { // it is tried again while the agent lives
		if !ok {
			j, ok = l.Healthy(s.Order.ID)
		}
	}
	if !ok {
		return nil, true, nil
	}
	h.kept, h.maybe = j.Good, ""
	return agent.Committed{Journal: j}, false, nil
}

// faulty is a failure of the host's.
func faulty(err error) *events.Failure {
	if err == nil {
		return nil
	}
	return &events.Failure{Step: "x", Cause: events.CauseEnvironment, Code: "failed", Text: err.Error()}
}

// told keeps an end as the outbox does: durably, and once.
func (h *cutHost) told(r events.Report) {
	switch r.(type) {
	case *events.AgentUpgraded, *events.AgentUpgradeFailed, *events.AgentRolledBack:
		id := r.(events.OrderReport).OrderID()
		if h.ends[id] == nil {
			h.ends[id] = map[string]bool{}
		}
		h.ends[id][r.Kind()] = true
	}
}

// download fetches in three pieces, and tries thrice.
func (h *cutHost) download(t tools.Tools) (err error) {
	if m, err := h.layout().Verify(t.Version.String()); err == nil && m.Archive == t.SHA256 {
		return nil
	}
	for range 3 {
		if err = h.fetch(t); err == nil {
			return nil
		}
	}
	return err
}

func (h *cutHost) fetch(t tools.Tools) error {
	d, err := h.layout().Download(t)
	if err != nil {
		return err
	}
	for rest := packed(t.Version.String())[d.Have:]; len(rest) > 0 && err == nil; {
		piece := rest[:min(len(rest), int(t.Size)/3+1)]
		rest = rest[len(piece):]
		_, err = d.Write(piece)
	}
	return errors.Join(err, d.Close())
}

// damage says what is wrong with what lies on the disk, without any recovery: the link
// leads to a complete version, and the journal to one that proved itself.
func (h *cutHost) damage() error {
	h = h.on(h.disk.Clone())
	l := h.layout()
	if !h.begun {
		return nil
	}
	current, err := l.Current()
	if err != nil {
		return err
	}
	if err := h.whole(current); err != nil {
		return fmt.Errorf("the link: %w", err)
	}
	j, err := l.ReadJournal()
	if err != nil {
		return err
	}
	if j.Good == "" && h.kept == "" {
		return nil // before the first upgrade
	}
	if err := h.whole(j.Good); err != nil {
		return fmt.Errorf("the last good version: %w", err)
	}
	if !h.asked[j.Good] {
		return fmt.Errorf("%s is called good and never proved itself", j.Good)
	}
	if h.kept != "" && j.Good != h.kept && j.Good != h.maybe {
		return fmt.Errorf("%s was kept, and %s is called good", h.kept, j.Good)
	}
	return nil
}

// whole says whether a version is complete and what it should be.
func (h *cutHost) whole(name string) error {
	m, err := h.layout().Verify(name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program(name))
	if m.Files[archive.Jujud] != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("%s holds another program", name)
	}
	return nil
}

// settled says what is wrong once the machine has nothing left to do.
func (h *cutHost) settled() error {
	h = h.on(h.disk.Clone())
	if err := h.damage(); err != nil {
		return err
	}
	l := h.layout()
	j, err := l.ReadJournal()
	if err != nil {
		return err
	}
	current, err := l.Current()
	switch {
	case err != nil:
		return err
	case j.Phase != install.PhaseIdle || j.Order != nil:
		return fmt.Errorf("the journal is left at %+v", j)
	case j.Good != "" && current != j.Good:
		return fmt.Errorf("%s runs, and %s is the last good version", current, j.Good)
	}
	if h.order.Seq > 0 && len(h.ends[h.order.Order.Order]) == 0 {
		return errors.New("the order did not end")
	}
	names, err := h.disk.ReadDir(l.Tools())
	if err != nil {
		return err
	}
	for _, name := range names {
		if name != l.Tag() && name != current && name != j.Last {
			return fmt.Errorf("%s is left over in %v", name, names)
		}
	}
	return nil
}

// endedOnce says whether the machine told more than one end of its order.
func (h *cutHost) endedOnce() error {
	if ends := h.ends[h.order.Order.Order]; len(ends) > 1 {
		return fmt.Errorf("the order ended as %v", slices.Collect(maps.Keys(ends)))
	}
	return nil
}

// key is the same for hosts that go on in the same way.
func (h *cutHost) key() [32]byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %d %d %v %v %s %s %v\n", h.cuts, h.kills, h.order.Seq, h.begun, h.asked, h.kept, h.maybe, h.ends)
	b.WriteString(h.disk.Key(timeless))
	return sha256.Sum256([]byte(b.String()))
}

// timeless is a file without what differs in a journal from run to run.
func timeless(data []byte) []byte {
	journal, ok := bytes.CutPrefix(data, []byte(`{"crc32":`))
	if !ok {
		return data
	}
	_, journal, _ = bytes.Cut(journal, []byte(","))
	before, after, _ := bytes.Cut(journal, []byte(`"started_ns":`))
	return slices.Concat(before, bytes.TrimLeft(after, "0123456789"))
}
