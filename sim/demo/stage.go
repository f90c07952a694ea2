package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
)

// stage runs and shows the commands of the demo, and counts the claims that are not true.
type stage struct {
	dir    string
	out    io.Writer
	acts   int
	claims int
	wrong  int
}

func (s *stage) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// title begins an act.
func (s *stage) title(format string, args ...any) {
	s.acts++
	fmt.Fprintf(s.out, "\n── %d. %s\n", s.acts, fmt.Sprintf(format, args...))
}

// tell prints a line of the story.
func (s *stage) tell(format string, args ...any) {
	fmt.Fprintf(s.out, "   "+format+"\n", args...)
}

// claim prints a claim that was checked, and counts it if it is not true.
func (s *stage) claim(holds bool, format string, args ...any) {
	s.claims++
	mark := "✓"
	if !holds {
		s.wrong++
		mark = "✗ NOT TRUE:"
	}
	fmt.Fprintf(s.out, "   %s %s\n", mark, fmt.Sprintf(format, args...))
}

// run shows a command of juju and runs it, with its output as it comes. It returns the
// output, and an error when the command does not exit with 0.
func (s *stage) run(ctx context.Context, args ...string) (string, error) {
	fmt.Fprintln(s.out, "$ juju", quoted(args))
	var all bytes.Buffer
	both := io.MultiWriter(&all, s.out)
	err := s.command(ctx, both, both, args).Run()
	if err != nil {
		err = fmt.Errorf("juju %s: %w", quoted(args), err)
	}
	return all.String(), err
}

// fails does the same as run for a command that must exit with 1.
func (s *stage) fails(ctx context.Context, args ...string) (string, error) {
	out, err := s.run(ctx, args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return out, nil
	}
	return out, fmt.Errorf("juju %s must end with exit code 1, but: %v", quoted(args), err)
}

// ask runs a command without showing it.
func (s *stage) ask(ctx context.Context, args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	if err := s.command(ctx, &out, &errs, args).Run(); err != nil {
		return nil, fmt.Errorf("juju %s: %w: %s", quoted(args), err, strings.TrimSpace(errs.String()))
	}
	return out.Bytes(), nil
}

// stopGrace is how long an interrupted command may take to end.
const stopGrace = 5 * time.Second

func (s *stage) command(ctx context.Context, out, errs io.Writer, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.path("bin", "juju"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = s.dir, out, errs, s.environ()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopGrace
	return cmd
}

// environ is this process's environment with the demo's own JUJU_DATA.
func (s *stage) environ() []string {
	var env []string
	path, race := s.path("bin"), "atexit_sleep_ms=0" // else the race detector lets each process wait a second at its end
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH":
			path += string(os.PathListSeparator) + value
		case name == "GORACE":
			race += " " + value
		case !strings.HasPrefix(name, "JUJU_"):
			env = append(env, kv)
		}
	}
	return append(env, "JUJU_DATA="+s.path("client"), "PATH="+path, "GORACE="+race)
}

// status is what juju status says.
func (s *stage) status(ctx context.Context, args ...string) (status.Status, error) {
	b, err := s.ask(ctx, append(args, "--format", "json")...)
	if err != nil {
		return status.Status{}, err
	}
	return status.Parse(b)
}

// log is what juju audit log says, oldest first.
func (s *stage) log(ctx context.Context, filter ...string) ([]audit.Entry, error) {
	b, err := s.ask(ctx, append([]string{"audit", "log", "--format", "jsonl"}, filter...)...)
	if err != nil {
		return nil, err
	}
	var entries []audit.Entry
	for line := range bytes.Lines(b) {
		var e audit.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// await follows the log until it has n records that the filter chooses.
func (s *stage) await(ctx context.Context, n int, filter ...string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := s.command(ctx, nil, nil, append([]string{"audit", "log", "--follow", "--format", "jsonl"}, filter...))
	lines, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	seen := 0
	for scan := bufio.NewScanner(lines); seen < n && scan.Scan(); {
		seen++
	}
	cancel()
	if err := cmd.Wait(); seen < n {
		return fmt.Errorf("follow the log for %d records of %s: there came %d: %w", n, quoted(filter), seen, err)
	}
	return nil
}

// showLogs prints the end of every machine's log, to find out why the demo failed.
func (s *stage) showLogs() {
	files, err := filepath.Glob(s.path("client", "machines", "*", "*", "log", "machine-*.log"))
	if err != nil {
		return
	}
	for _, f := range files {
		fmt.Fprintf(s.out, "\n==> %s <==\n%s\n", f, local.LastLines(f, 12))
	}
}

// raceReports names the logs in which the race detector reported something.
func (s *stage) raceReports() []string {
	files, err := filepath.Glob(s.path("client", "machines", "*", "*", "log", "*.log"))
	if err != nil {
		return nil
	}
	var found []string
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("WARNING: DATA RACE")) {
			found = append(found, f)
		}
	}
	return found
}

// processesOf lists the processes whose program lies below dir.
func processesOf(dir string) []string {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return nil
	}
	var found []string
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && strings.HasPrefix(exe, dir+"/") {
			found = append(found, filepath.Base(filepath.Dir(link)))
		}
	}
	return found
}

// listed is ": A, B", or empty if there are no items.
func listed(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return ": " + strings.Join(items, ", ")
}

func quoted(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a
		if strings.ContainsAny(a, " *'\"$") || a == "" {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
