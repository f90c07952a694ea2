package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// trimAfter is how long after its start a process has become idle.
const trimAfter = 10 * time.Second

// trimLater gives back, once, the pages of the program's file that starting needed: every
// package's beginnings, most of which is never looked at again. What is needed comes back
// from the page cache, page by page.
func trimLater(ctx context.Context, log *slog.Logger) {
	select {
	case <-time.After(trimAfter):
	case <-ctx.Done():
		return
	}
	if err := trim(); err != nil {
		log.Debug("giving back memory", "err", err)
	}
}

func trim() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range untouched(maps, strings.TrimSuffix(exe, " (deleted)")) {
		_, _, errno := syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
		if errno != 0 {
			err = errors.Join(err, errno)
		}
	}
	return err
}

// mapping is a part of the address space.
type mapping struct{ start, end uintptr }

// untouched are the read-only mappings of a file of which no page was ever written, as
// the kernel lists them: giving such a page back loses nothing.
func untouched(smaps []byte, file string) []mapping {
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
