package host

import (
	"bytes"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// All pages of the program are read, then given back, and the program goes on.
func TestReleaseProgram(t *testing.T) {
	if err := adviseProgram(unix.MADV_POPULATE_READ); err != nil {
		t.Fatal(err)
	}
	before := filePages(t)
	if err := ReleaseProgram(); err != nil {
		t.Fatal(err)
	}
	if after := filePages(t); after > before*3/4 { // what runs the test is read again at once
		t.Errorf("%d kB of the program's file are resident after, %d before", after, before)
	}
}

// Only what is read-only, of the program's file, and never written is given back.
func TestOnlyPagesThatWereNeverWrittenAreGivenBack(t *testing.T) {
	const smaps = `00400000-00500000 r-xp 00000000 fe:01 12 /opt/jujud
Rss:                 100 kB
Anonymous:             0 kB
00500000-00600000 r--p 00100000 fe:01 12 /opt/jujud
Anonymous:             4 kB
00600000-00700000 rw-p 00200000 fe:01 12 /opt/jujud
Anonymous:             0 kB
00700000-00800000 r-xp 00000000 fe:01 13 /lib/libc.so
Anonymous:             0 kB
00800000-00900000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`
	got := neverWritten([]byte(smaps), "/opt/jujud")
	if len(got) != 1 || got[0] != (mapping{0x400000, 0x500000}) {
		t.Errorf("%x", got)
	}
}

func filePages(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("RssFile:")); ok {
			n, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the kernel does not say how much of the file is resident")
	return 0
}
