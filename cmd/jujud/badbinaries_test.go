package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
)

// These tests rehearse bad releases: in an environment of real processes, one release fails on each
// machine in another way. The release is built with -tags faults. What it does wrong on a machine is
// written in a file of the machine's data directory.

// badBinary is one way in which a release is bad, and how its order must end.
type badBinary struct {
	fault string
	ends  string // kind of the order's one terminal record
	cause string // of the failure, in the log's words; empty: there is none
	says  string // a part of the failure's text or of its output
	short bool   // played by `go test`; the rest by make badbinaries
	stays bool   // the machine ends on the new version
}

var badBinaries = []badBinary{
	{fault: "exits-at-once", ends: "agent.rolled_back/1", cause: "cause version", says: "rehearsal: it exits at once", short: true},
	{fault: "exits-after-a-while", ends: "agent.rolled_back/1", cause: "cause version", says: "rehearsal: it exits after a while"},
	{fault: "exits-after-the-commit", ends: "agent.upgraded/1", cause: "cause version", says: "was kept and then failed 2 times", short: true},
	{fault: "hangs-before-ready", ends: "agent.rolled_back/1", cause: "cause version", says: "it was not ready within"},
	{fault: "hangs-after-ready", ends: "agent.rolled_back/1", cause: "cause version", says: "it said nothing for", short: true},
	{fault: "flip-flops", ends: "agent.rolled_back/1", cause: "cause version", says: "it did not prove itself in time"},
	{fault: "cannot-reach-the-bus", ends: "agent.rolled_back/1", cause: "cause version", says: "rehearsal: this build cannot talk to the bus", short: true},
	{fault: "reports-another-version", ends: "agent.rolled_back/1", cause: "cause version", says: "it did not prove itself in time"},
	{fault: "lies-in-its-self-test", ends: "agent.upgrade_failed/1", cause: "cause version", says: "a jujud that says it is 9.9.9"},                 // BI-17
	{fault: "refuses-the-journal", ends: "agent.upgrade_failed/1", cause: "cause version", says: "the journal's schema is not known", short: true},  // BI-18
	{fault: "hangs-in-its-self-test", ends: "agent.upgrade_failed/1", cause: "cause version", says: "it took longer than it may: 10s", short: true}, // BI-19
	{fault: "forks-in-its-self-test", ends: "agent.upgrade_failed/1", cause: "cause version", says: "it started more processes than it may"},        // BI-20
	{fault: "fills-memory", ends: "agent.rolled_back/1", cause: "cause version", says: "it exited with code 2"},
	{fault: "ignores-sigterm", ends: "agent.upgraded/1", stays: true},
}

// Times of the rehearsed machines: as agent.conf could say, only shorter.
var rehearsed = agent.Values{
	Beat: time.Second, ReadyTimeout: 4 * time.Second, SilenceTimeout: 3 * time.Second, TrialTimeout: 6 * time.Second,
	SettleTime: 20 * time.Second, StopTimeout: 2 * time.Second, RestartPause: 200 * time.Millisecond, TrialAttempts: 2,
}

const (
	oldNumber = "1.24.0"
	badNumber = "1.25.1"
)

func TestBadBinaries(t *testing.T) {
	all := os.Getenv("JUJUBE_BAD_BINARIES") == "all"
	r := newRehearsal(t)
	r.join(slices.DeleteFunc(slices.Clone(badBinaries), func(b badBinary) bool { return !all && !b.short }))
	r.deploy()
	began := time.Now()
	r.publish(badNumber, r.read("jujud-faults"))
	r.juju("upgrade-juju", "--version", badNumber, "--yes")
	r.awaitEnds(began)
	log := r.log()
	for _, h := range r.hosts {
		r.check(h, log)
	}
	if all {
		r.unfit("is no executable", "1.25.2", []byte("#!/nowhere\n"))
		r.unfit("is of another processor", "1.25.3", otherProcessor(r.read("jujud-faults")))
	}
	r.report()
	r.noFaultsInReleases()
}

// awaitEnds waits until every machine's order has ended, and those that are taken back
// after it are.
func (r *rehearsal) awaitEnds(began time.Time) {
	r.until("every order ends", func() bool {
		kinds := map[string]string{}
		for _, e := range r.log() {
			kinds[e.Machine] += " " + e.What
		}
		left := 0
		for _, h := range r.hosts {
			want := h.ends
			if h.ends == "agent.upgraded/1" && !h.stays {
				want = "report.late/1"
			}
			switch {
			case h.took != 0:
			case strings.Contains(kinds[h.id], want):
				h.took = time.Since(began)
			default:
				left++
			}
		}
		return left == 0
	})
}

// check looks at how a machine ended.
func (r *rehearsal) check(h *rehearsedHost, log []audit.Entry) {
	var ends, told []string
	for _, e := range log {
		if e.Machine != h.id {
			continue
		}
		switch e.What {
		case "agent.upgraded/1", "agent.rolled_back/1", "agent.upgrade_failed/1", "order.timed_out/1":
			ends = append(ends, e.What)
			told = append(told, e.Why)
		case "report.late/1":
			told = append(told, e.Why)
		}
	}
	if len(ends) != 1 || ends[0] != h.ends {
		r.t.Errorf("%s: the order ended with %q, want %s", h.fault, ends, h.ends)
	}
	for _, want := range []string{h.says, h.cause} {
		if !strings.Contains(strings.Join(told, "\n"), want) {
			r.t.Errorf("%s: the log says %q, not %q", h.fault, told, want)
		}
	}
	want := oldNumber
	if h.stays {
		want = badNumber
	}
	r.until(fmt.Sprintf("%s: machine %s runs %s, and status says so", h.fault, h.id, want), func() bool {
		s, err := status.Parse([]byte(r.juju("status", "--format", "json")))
		r.must(err)
		m, _ := s.Machines.Get(h.id)
		return m.AgentVersion == want && (h.cause == "" || m.AgentState == status.AgentError && m.AgentStateInfo != "")
	})
	same := h.workload() == h.pid
	if !same {
		r.t.Errorf("%s: the workload was %d and is %d", h.fault, h.pid, h.workload())
	}
	if h.fault == "ignores-sigterm" {
		r.stubborn(h)
	}
	r.row(h.fault, h.ends, want, h.took, same)
}

// stubborn stops a machine whose agent does not want to end.
func (r *rehearsal) stubborn(h *rehearsedHost) {
	began := time.Now()
	r.must(h.launcher.Process.Signal(syscall.SIGTERM), h.launcher.Wait())
	if took := time.Since(began); took > rehearsed.StopTimeout+5*time.Second {
		r.t.Errorf("the machine stopped after %v", took)
	}
}

func (r *rehearsal) row(name, ends, version string, took time.Duration, same bool) {
	r.rows = append(r.rows, fmt.Sprintf("%-26s %-22s %-8s %5.1f  %v", name, strings.TrimSuffix(ends, "/1"), version, took.Seconds(), same))
}

func (r *rehearsal) report() {
	r.t.Logf("%d bad binaries, one environment:\n%-26s %-22s %-8s %5s  %s\n%s", len(r.rows),
		"BINARY", "THE ORDER ENDED", "RUNS", "SECS", "SAME WORKLOAD", strings.Join(r.rows, "\n"))
}

// noFaultsInReleases checks that a build without the tag does not look for faults.
func (r *rehearsal) noFaultsInReleases() {
	if !bytes.Contains(r.read("jujud-faults"), []byte("jujube-fault")) {
		r.t.Error("the fault build holds no faults, so looking for them shows nothing")
	}
	if bytes.Contains(r.read("jujud"), []byte("jujube-fault")) {
		r.t.Error("the release build holds the faults")
	}
}

// unfit orders a release that this host cannot execute. The state server is ordered first. It refuses
// before anything is switched, and no other machine is ordered.
func (r *rehearsal) unfit(name, number string, jujud []byte) {
	began := time.Now()
	r.publish(number, jujud)
	out, err := r.command("upgrade-juju", "--version", number, "--reset-previous-upgrade", "--yes", "--wait").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "failed at self-test") {
		r.t.Errorf("%s: %v\n%s", name, err, out)
	}
	same := true
	for _, h := range r.hosts {
		same = same && (h.launcher.ProcessState != nil || h.workload() == h.pid)
	}
	if !same {
		r.t.Errorf("%s: workloads changed", name)
	}
	r.row(name, "agent.upgrade_failed/1", badNumber, time.Since(began), same)
}

// otherProcessor is the same program for a machine of another kind.
func otherProcessor(jujud []byte) []byte {
	const machineField = 18 // in an ELF header
	other := elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		other = elf.EM_X86_64
	}
	binary.LittleEndian.PutUint16(jujud[machineField:], uint16(other))
	return jujud
}
