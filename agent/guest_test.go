package agent

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// misbehave is what the test program does before it answers as a jujud.
func misbehave(how string) {
	switch how {
	case "hangs":
		select {}
	case "leaves a process":
		_ = exec.Command("sleep", "4242").Start()
	case "forks":
		for {
			_ = exec.Command("sleep", "4243").Start()
		}
	case "fills memory":
		for kept := [][]byte{}; ; {
			kept = append(kept, bytes.Repeat([]byte{1}, 16<<20))
		}
	case "talks":
		for range 2 * limits.SelfCheckOutput / 64 {
			fmt.Fprint(os.Stderr, strings.Repeat("x", 64))
		}
		os.Exit(1)
	}
}

// running says whether some sleep of that length runs.
func running(t *testing.T, seconds string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && string(b) == "sleep\x00"+seconds+"\x00" {
			return true
		}
	}
	return false
}

// A staged version that hangs, forks without end, fills the memory or talks without end is
// ended in time, is named for it, and leaves nothing behind.
func TestSelfTestIsConfined(t *testing.T) {
	want, a := binOf(t, "1.25.2"), testAgent(t, &fakeBus{connected: []bool{true}})
	stage(t, a, "1.25.2")
	says(t, a, "1.25.2", &Check{Version: want})
	a.guest = confines{time: 10 * time.Second, tasks: 300}
	if !raced {
		a.guest.memory = 2 << 30
	}
	for _, c := range []struct{ id, does, says string }{
		{"BI-19", "hangs", errTooLong.Error()},
		{"BI-20 fork bomb", "forks", errTooMany.Error()},
		{"BI-20 memory", "fills memory", "exit status 2"},
		{"BI-18", "talks", "exit status 1"},
		{"", "leaves a process", ""},
	} {
		t.Run(c.id+" "+c.does, func(t *testing.T) {
			if c.does == "fills memory" && raced {
				t.Skip("not shown with the race detector, which takes more address space than any bound: " +
					"that a self-test which fills the memory is ended; go test without -race shows it")
			}
			guest := a.guest
			if c.does == "hangs" {
				guest.time = time.Second
			}
			if err := os.WriteFile(filepath.Join(a.layout.Version(want.String()), "does"), []byte(c.does), 0o600); err != nil {
				t.Fatal(err)
			}
			_, f := runSelfCheck(t.Context(), a.layout, want, guest)
			switch {
			case c.says == "" && f != nil:
				t.Errorf("%+v", f)
			case c.says != "" && (f == nil || f.Code != "selfcheck" || !strings.Contains(f.Text+f.Output, c.says)):
				t.Errorf("%s: it ended with %+v; want selfcheck with %q", c.id, f, c.says)
			}
			for _, sleep := range []string{"4242", "4243"} {
				for end := time.Now().Add(5 * time.Second); running(t, sleep); {
					if time.Now().After(end) {
						t.Fatalf("%s: a process that it started still runs", c.id)
					}
					runtime.Gosched()
				}
			}
		})
	}
	for name, most := range map[string]int{"limits.SelfCheckOutput": limits.SelfCheckOutput} {
		var out opening
		for range 2 {
			if n, err := out.Write(make([]byte, most)); n != most || err != nil {
				t.Fatal(n, err)
			}
		}
		if out.Len() != most {
			t.Errorf("%s: %d bytes are kept of %d", name, out.Len(), most)
		}
	}
	if c := selfCheckConfines; c.time != limits.SelfCheckTime || c.memory != limits.SelfCheckMemory || c.tasks != limits.SelfCheckTasks {
		t.Errorf("a staged version is confined to %+v", c)
	}
}

// What is no program for this machine is not run.
func TestSelfTestRunsOnlyPrograms(t *testing.T) {
	want, a := binOf(t, "1.25.2"), testAgent(t, &fakeBus{connected: []bool{true}})
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(exe)
	other[18] = map[bool]byte{true: 0xb7, false: 0x3e}[runtime.GOARCH == "amd64"] // the machine, in an ELF header
	for _, c := range []struct {
		id, what, code string
		program        []byte
	}{
		{"BI-11", "is of another processor", "arch-mismatch", other},
		{"BI-16", "is a page", "not-executable", []byte("<html>")},
		{"BI-16", "is a script", "not-executable", []byte("#!/bin/sh\nexit 0\n")},
		{"BI-12", "is the head of a program", "not-executable", exe[:60]},
		{"BI-16", "was not built by Go", "format", foreign(exe)},
	} {
		t.Run(c.id+" "+c.what, func(t *testing.T) {
			dir := a.layout.Version(want.String())
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "jujud"), c.program, 0o755); err != nil {
				t.Fatal(err)
			}
			if _, f := runSelfCheck(t.Context(), a.layout, want, a.guest); f == nil || f.Code != c.code {
				t.Errorf("%s: %+v, want %s", c.id, f, c.code)
			}
		})
	}
	foreign := want
	foreign.Arch = map[bool]string{true: "arm64", false: "amd64"}[runtime.GOARCH == "amd64"]
	if code, err := checkProgram("/proc/self/exe", foreign); code != "arch-mismatch" {
		t.Errorf("BI-10: a build under the name of another processor: %s, %v", code, err)
	}
}

// foreign is an ELF file that says nothing of Go.
func foreign(exe []byte) []byte {
	return bytes.ReplaceAll(exe, []byte("\xff Go buildinf:"), []byte("\xff No buildinf:"))
}
