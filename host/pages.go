package host

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ReleaseProgram gives back the pages of this program's file that were read and never
// written: its code and its constants. A Go program touches most of them once, when its
// packages are initialized, and few of them again; those come back from the page cache, one
// by one. It is for a process that idles for weeks, once it has started.
//
// What it buys, and what that was measured with, is in docs/BENCHMARKS.md.
func ReleaseProgram() error { return adviseProgram(unix.MADV_DONTNEED) }

// adviseProgram gives the kernel a word of madvise(2) on those pages.
func adviseProgram(advice uintptr) error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range neverWritten(maps, strings.TrimSuffix(exe, " (deleted)")) {
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, advice); errno != 0 {
			err = errors.Join(err, errno)
		}
	}
	return err
}

// mapping is a range of the address space.
type mapping struct{ start, end uintptr }

// neverWritten finds the read-only mappings of a file of which no page was ever written, in
// the kernel's list. To give back a page of such a mapping loses nothing: the file has it.
// Source: proc_pid_smaps(5); "Anonymous" counts the pages that are no longer the file's.
func neverWritten(smaps []byte, file string) []mapping {
	var found []mapping
	var m mapping
	ours := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 6 && strings.Contains(fields[0], "-"):
			_, err := fmt.Sscanf(fields[0], "%x-%x", &m.start, &m.end)
			ours = err == nil && fields[1][0] == 'r' && fields[1][1] == '-' && fields[5] == file
		case len(fields) >= 2 && fields[0] == "Anonymous:":
			if ours && fields[1] == "0" {
				found = append(found, m)
			}
			ours = false
		}
	}
	return found
}
