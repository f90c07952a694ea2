package agent

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// Be is what the test program is when it is started as the gate of a workload, as an agent
// that can be killed, or as one that dies while it notes a workload.
func Be(args []string) (code int, is bool) {
	if len(args) < 3 {
		return 0, false
	}
	switch args[1] {
	case GateCommand:
		fmt.Fprintln(os.Stderr, Gate(args[2:]))
		return 1, true
	case "units":
		return beAgent(args[2]), true
	case "dies-noting":
		return dieNoting(args[2]), true
	}
	return 0, false
}

// beAgent runs the units of a directory, says on its output what they report, and ends as
// it is told on its input: keep or stop.
func beAgent(dir string) int {
	u := newUnits(layoutIn(dir), version.Current(), secrets{}, say, slog.New(slog.DiscardHandler))
	u.logBytes = 200 << 10
	if err := u.load(); err != nil {
		fmt.Println("ERROR", err)
		return 1
	}
	<-u.adopted
	fmt.Println("adopted")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		if word != "assign" {
			u.end(word == "keep")
			return 0
		}
		var a events.UnitsAssigned
		if err := json.Unmarshal([]byte(rest), &a); err != nil {
			return 1
		}
		if err := u.assign(assignment{UnitsAssigned: a}); err != nil {
			return 1
		}
	}
	return 1
}

func say(r events.Report) {
	u := r.(*events.UnitStateChanged)
	fmt.Println(u.Unit, u.State, u.PID, u.Info)
}

// dieNoting starts a workload in a process that is killed at the moment of noting it.
func dieNoting(dir string) int {
	spec := specIn(dir)
	_, err := startWorkload(layoutIn(dir), spec, nil, spec.Env, func(*workload) error {
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
	fmt.Println(err)
	return 0
}

func layoutIn(dir string) install.Layout { return install.Layout{Dir: dir, Machine: "3"} }

func specIn(dir string) events.UnitSpec {
	b, err := os.ReadFile(filepath.Join(layoutIn(dir).Agent(), "units.json"))
	var a events.UnitsAssigned
	if err != nil || json.Unmarshal(b, &a) != nil || len(a.Units) == 0 {
		panic(fmt.Sprintf("no unit in %s: %v", dir, err))
	}
	return a.Units[0]
}

// guestHost is a data directory with one unit's assignment.
type guestHost struct {
	t   *testing.T
	dir string
}

// unitHost assigns web/0, a shell script, to a new data directory; $D in the script is a
// directory for what it writes. Whatever still runs is stopped at the end of the test.
func unitHost(t *testing.T, restart, script string) *guestHost {
	t.Helper()
	h := &guestHost{t: t, dir: t.TempDir()}
	l := layoutIn(h.dir)
	ok(t, os.MkdirAll(l.Agent(), 0o700))
	ok(t, os.MkdirAll(filepath.Join(h.dir, "log"), 0o700))
	ok(t, os.MkdirAll(h.path("d"), 0o700))
	h.assign(events.UnitSpec{
		Unit: "web/0", Machine: "3", Command: []string{"/bin/sh", "-c", script}, Restart: restart,
		Env: map[string]string{"D": h.path("d")},
	})
	t.Cleanup(func() {
		if w := readWorkload(l.Unit("web/0")); w != nil && w.alive() {
			_ = syscall.Kill(-w.PID, syscall.SIGKILL)
		}
	})
	return h
}

func (h *guestHost) path(name string) string { return filepath.Join(h.dir, name) }

func (h *guestHost) assign(units ...events.UnitSpec) {
	h.t.Helper()
	b, err := json.Marshal(events.UnitsAssigned{Machine: "3", Units: units})
	ok(h.t, err)
	ok(h.t, host.WriteFile(filepath.Join(layoutIn(h.dir).Agent(), "units.json"), b))
}

// process is an agent's.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func (h *guestHost) agent() *process {
	h.t.Helper()
	p := &process{t: h.t, cmd: exec.Command(os.Args[0], "units", h.dir)}
	out, err := p.cmd.StdoutPipe()
	ok(h.t, err)
	p.in, err = p.cmd.StdinPipe()
	ok(h.t, err)
	ok(h.t, p.cmd.Start())
	p.out = bufio.NewScanner(out)
	h.t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// says waits for a report that begins so, and returns it.
func (p *process) says(want string) string {
	p.t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	for p.out.Scan() {
		if strings.HasPrefix(p.out.Text(), want) {
			return p.out.Text()
		}
	}
	p.t.Fatalf("the agent ended without saying %q", want)
	return ""
}

func (p *process) kill() {
	p.t.Helper()
	ok(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

func (p *process) end(word string) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, word)
	ok(p.t, err)
	ok(p.t, p.cmd.Wait())
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// runs are how many runs of the workload have begun.
func (h *guestHost) runs() int {
	b, err := os.ReadFile(filepath.Join(h.dir, "d", "runs"))
	if err != nil {
		return 0
	}
	return strings.Count(string(b), "\n")
}

// ran waits until n runs have begun, and sees that there are no more.
func (h *guestHost) ran(n int) {
	h.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for late := time.After(10 * time.Second); h.runs() < n; {
		select {
		case <-look.C:
		case <-late:
			h.t.Fatalf("%d runs, want %d", h.runs(), n)
		}
	}
	if got := h.runs(); got > n {
		h.t.Fatalf("%d runs, want %d", got, n)
	}
}

const forever = `echo run >>$D/runs; exec tail -f /dev/null`

// A workload outlives agents that are killed and that leave it, and every next one takes
// over the very same process.
func TestAWorkloadIsAdopted(t *testing.T) {
	h := unitHost(t, events.RestartAlways, forever)
	p := h.agent()
	first := p.says("web/0 started")
	h.ran(1)
	p.kill()
	p = h.agent()
	if again := p.says("web/0 started"); again != first {
		t.Errorf("adopted %q, want %q", again, first)
	}
	p.end("keep")
	p = h.agent()
	if again := p.says("web/0 started"); again != first {
		t.Errorf("adopted %q, want %q", again, first)
	}
	p.end("stop")
	if w := readWorkload(layoutIn(h.dir).Unit("web/0")); w.alive() || !w.Ended.Stopped {
		t.Errorf("it runs on after its machine's service was stopped: %+v", w)
	}
	p = h.agent()
	if again := p.says("web/0 started"); again == first {
		t.Errorf("it was not started with the machine's service: %q", again)
	}
	h.ran(2)
	p.end("stop")
}

// Another process that has the PID by now is never taken for the workload: neither
// watched nor stopped.
func TestAReusedPIDIsNotAdopted(t *testing.T) {
	h := unitHost(t, events.RestartAlways, forever)
	stranger := exec.Command("tail", "-f", "/dev/null")
	stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ok(t, stranger.Start())
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	ticks, err := host.StartTicks(stranger.Process.Pid)
	ok(t, err)
	for what, forged := range map[string]workload{
		"another start": {PID: stranger.Process.Pid, Started: ticks - 1, BootID: bootID()},
		"another boot":  {PID: stranger.Process.Pid, Started: ticks, BootID: "before"},
	} {
		dir := layoutIn(h.dir).Unit("web/0")
		ok(t, os.MkdirAll(dir, 0o700))
		forged.Command, forged.file = commandText(specIn(h.dir)), filepath.Join(dir, workloadName)
		ok(t, forged.save())
		p := h.agent()
		if got := p.says("web/0 started"); strings.HasPrefix(got, fmt.Sprintf("web/0 started %d ", stranger.Process.Pid)) {
			t.Errorf("%s: adopted %q", what, got)
		}
		p.end("stop")
		if _, err := host.StartTicks(stranger.Process.Pid); err != nil {
			t.Errorf("%s: the stranger was stopped: %v", what, err)
		}
	}
}

// What ended while no agent watched is noticed, and its policy followed: also by the
// agents after that.
func TestAWorkloadThatDiedMeanwhile(t *testing.T) {
	for restart, want := range map[string]string{
		events.RestartAlways: "web/0 started", events.RestartOnFailure: "web/0 started", events.RestartNever: "",
	} {
		t.Run(restart, func(t *testing.T) {
			h := unitHost(t, restart, forever)
			p := h.agent()
			p.says("web/0 started")
			h.ran(1)
			p.kill()
			w := readWorkload(layoutIn(h.dir).Unit("web/0"))
			fd, err := unix.PidfdOpen(w.PID, 0)
			ok(t, err)
			ok(t, syscall.Kill(w.PID, syscall.SIGKILL))
			_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
			ok(t, err)
			ok(t, unix.Close(fd))
			for range 2 {
				p = h.agent()
				p.says("web/0 error 0 it ended while no agent watched it")
				if want != "" {
					p.says(want)
					p.end("stop")
					return
				}
				p.end("keep")
			}
			h.ran(1)
		})
	}
}

// The restart policies, by how a workload ends.
func TestRestartPolicies(t *testing.T) {
	for _, c := range []struct {
		restart string
		code    int
		state   string
		runs    int
	}{
		{events.RestartAlways, 0, "stopped 0 it exited with code 0; it is started again", 2},
		{events.RestartAlways, 3, "error 0 it exited with code 3; it is started again", 2},
		{events.RestartOnFailure, 0, "stopped 0 it exited with code 0", 1},
		{events.RestartOnFailure, 3, "error 0 it exited with code 3; it is started again", 2},
		{events.RestartNever, 0, "stopped 0 it exited with code 0", 1},
		{events.RestartNever, 3, "error 0 it exited with code 3", 1},
	} {
		t.Run(fmt.Sprint(c.restart, " ", c.code), func(t *testing.T) {
			t.Parallel()
			h := unitHost(t, c.restart, fmt.Sprintf(`echo run >>$D/runs; exit %d`, c.code))
			p := h.agent()
			p.says("web/0 started")
			p.says("web/0 " + c.state)
			if c.runs == 2 {
				p.says("web/0 started")
				p.says("web/0 " + c.state)
				p.end("keep")
				return
			}
			p.end("keep")
			p = h.agent() // which knows how it ended, too
			p.says("web/0 " + c.state)
			p.end("keep")
			h.ran(c.runs)
		})
	}
}

// A command that does not exist is an error with the reason, and tried again.
func TestACommandThatCannotBeStarted(t *testing.T) {
	for _, program := range []string{"no-such-program", "/no/such/program", "/dev/null"} {
		h := unitHost(t, events.RestartAlways, "")
		h.assign(events.UnitSpec{Unit: "web/0", Machine: "3", Command: []string{program}, Restart: events.RestartNever})
		p := h.agent()
		p.says("web/0 error 0 it cannot be started: ")
		p.end("keep")
	}
}

// An agent that is killed after it has started a workload and before it has noted it
// leaves nothing behind: the next agent's run is the only one.
func TestAnAgentThatDiesNotingAWorkload(t *testing.T) {
	ok(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	defer func() { ok(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)) }()
	h := unitHost(t, events.RestartAlways, forever)
	dying := exec.Command(os.Args[0], "dies-noting", h.dir)
	if err := dying.Run(); err == nil {
		t.Fatal("the agent did not die")
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(orphan(t, h.dir), &status, 0, nil); err != nil || status.ExitStatus() != 1 {
		t.Errorf("the workload ended with %v, %v: it was not held back", status, err)
	}
	h.ran(0)
	p := h.agent()
	p.says("web/0 started")
	h.ran(1)
	p.end("stop")
}

// orphan is the child of this process that runs in a data directory, dead or alive.
func orphan(t *testing.T, dir string) int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	ok(t, err)
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		ok(t, err)
		for _, pid := range strings.Fields(string(b)) {
			cwd, err := os.Readlink("/proc/" + pid + "/cwd")
			if err != nil || strings.HasPrefix(cwd, dir) {
				var n int
				_, err := fmt.Sscan(pid, &n)
				ok(t, err)
				return n
			}
		}
	}
	t.Fatal("the agent left no process")
	return 0
}

// A unit that was removed while no agent ran, or by an agent that was killed on the way,
// is stopped by the next one.
func TestAUnitThatIsGoneIsStopped(t *testing.T) {
	h := unitHost(t, events.RestartAlways, forever)
	p := h.agent()
	p.says("web/0 started")
	p.kill()
	dir := layoutIn(h.dir).Unit("web/0")
	w := readWorkload(dir)
	h.assign()
	p = h.agent()
	p.says("adopted")
	p.end("keep")
	if w.alive() || readWorkload(dir) != nil {
		t.Errorf("the workload of a removed unit runs on: %+v", w)
	}
}

// A log is rotated while its workload writes: not a line is lost or doubled where the file
// system can cut the front off, the number of files is bounded, and the workload writes on.
func TestALogIsRotatedWhileItIsWritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "unit-web-0.log")
	const limit = 100 << 10
	writer := exec.Command("/bin/sh", "-c", `i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo line $i; done >>"$0"`, name)
	ok(t, writer.Start())
	ended := make(chan error, 1)
	go func() { ended <- writer.Wait() }()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for running := true; running; {
		select {
		case err := <-ended:
			ok(t, err)
			running = false
		case <-look.C:
			ok(t, rotateLog(name, limit))
		}
	}
	if _, err := os.Stat(copyOfLog(name, copiesOfLog+1)); err == nil {
		t.Error("there are more copies than are to be kept")
	}
	var all strings.Builder
	for _, f := range []string{copyOfLog(name, 3), copyOfLog(name, 2), copyOfLog(name, 1), name} {
		b, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it wrote faster than it was looked at
		}
		ok(t, err)
		if len(b) > 5*limit {
			t.Errorf("%s has %d bytes, much more than %d", filepath.Base(f), len(b), limit)
		}
		all.Write(b)
	}
	if !strings.HasSuffix(all.String(), "line 60000\n") {
		t.Error("the last line is missing")
	}
	if !cutsFronts(t) {
		t.Log("this file system cannot cut the front off a file: that no line is lost is not shown by this run")
		return
	}
	if _, err := os.Stat(copyOfLog(name, 1)); err != nil {
		t.Error("nothing was rotated")
	}
	_, whole, _ := strings.Cut(all.String(), "\n") // the first line kept may be cut
	var first int
	_, err := fmt.Sscanf(whole, "line %d", &first)
	ok(t, err)
	for want := first; whole != ""; want++ {
		line, rest, _ := strings.Cut(whole, "\n")
		if line != fmt.Sprint("line ", want) {
			t.Fatalf("after line %d comes %q", want-1, line)
		}
		whole = rest
	}
}

func cutsFronts(t *testing.T) bool {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	ok(t, err)
	defer func() { _ = f.Close() }()
	_, err = f.Write(make([]byte, 2*blockBytes))
	ok(t, err)
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_COLLAPSE_RANGE, 0, blockBytes) == nil
}
