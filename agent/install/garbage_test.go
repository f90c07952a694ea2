package install_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/install/crashfs"
)

// versions gives the directories of versions, and how many bytes everything below tools/ takes.
func versions(t *testing.T, l install.Layout) (names []string, bytes int64) {
	t.Helper()
	check(t, filepath.Walk(l.Tools(), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		if err == nil && info.IsDir() && path != l.Tools() && filepath.Dir(path) == l.Tools() && !strings.HasPrefix(info.Name(), ".") {
			names = append(names, info.Name())
		}
		return err
	}))
	return names, bytes
}

// Twenty upgrades, up and down. Between two upgrades there are two versions on the disk: the current
// one and the one before. During an upgrade there is a third one and its archive. There is never
// more.
func TestTwentyUpgradesLeaveTwoVersions(t *testing.T) {
	l := installed(t)
	content := strings.Repeat("0123456789abcdef", 1<<14)
	journal := install.Journal{Good: old}
	peak, peakBytes, most := 0, int64(0), int64(0)
	look := func() {
		names, bytes := versions(t, l)
		peak, peakBytes = max(peak, len(names)), max(peakBytes, bytes)
	}
	for n := range 20 {
		number := []int{1, 2, 3, 4, 5, 4, 3, 2}[n%8]
		name := fmt.Sprintf("1.25.%d-trusty-amd64", number)
		to, packed, err := pack(name, content+fmt.Sprint(number))
		check(t, err)
		most = max(most, to.Size)
		journal.Order = &install.Order{ID: fmt.Sprint(n), Tools: to}
		check(t, l.WriteJournal(journal))
		d, err := l.Download(to)
		check(t, err)
		_, err = d.Write(packed)
		check(t, err, d.Close(), l.Stage(to, journal.Good))
		look()
		check(t, l.Switch(name))
		journal.Good, journal.Last, journal.Order = name, journal.Good, nil
		check(t, l.WriteJournal(journal), l.CollectGarbage(name))
		names, _ := versions(t, l)
		if want := []string{journal.Last, journal.Good}; len(names) != 2 || !slices.Contains(names, want[0]) || !slices.Contains(names, want[1]) {
			t.Fatalf("after upgrade %d there are %v, want %v", n+1, names, want)
		}
	}
	_, rest := versions(t, l)
	one := int64(len(content))
	t.Logf("versions: 2 at rest, %d at most; bytes: %.2f versions at rest, %.2f at most", peak, float64(rest)/float64(one), float64(peakBytes)/float64(one))
	if peak > 3 || rest >= 3*one || peakBytes > 3*one+most+1<<16 {
		t.Errorf("%d versions and %d bytes, of %d each", peak, peakBytes, one)
	}
}

// Whatever the caller says, the versions that the link or the journal names stay. When these cannot
// be read, everything stays.
func TestWhatIsNamedIsNeverCollected(t *testing.T) {
	l := installed(t)
	check(t, l.Stage(download(t, l, "the new jujud", nil)))
	exe := filepath.Join(l.Dir, "installed", "jujud")
	for _, name := range []string{"1.1.0-x-y", "1.2.0-x-y", "1.3.0-x-y"} {
		check(t, l.Adopt(exe, name))
	}
	to, _, err := pack(newer, "the new jujud")
	check(t, err)
	check(t, os.MkdirAll(l.Staging(), 0o700))
	check(t, os.WriteFile(l.JournalFile(), []byte("{"), 0o600))
	if err := l.CollectGarbage(); !errors.Is(err, install.ErrJournal) || !strings.Contains(err.Error(), "nothing was removed") {
		t.Errorf("with a damaged journal: %v", err)
	}
	wantTools(t, l, ".staging", "1.1.0-x-y", "1.2.0-x-y", "1.3.0-x-y", old, newer)
	check(t, l.WriteJournal(install.Journal{Good: "1.1.0-x-y", Last: "1.2.0-x-y", Order: &install.Order{Tools: to}}), l.CollectGarbage())
	wantTools(t, l, ".staging", "1.1.0-x-y", "1.2.0-x-y", old, newer)
	check(t, l.WriteJournal(install.Journal{Good: "1.1.0-x-y"}), l.CollectGarbage(newer))
	wantTools(t, l, "1.1.0-x-y", old, newer)
	check(t, os.Remove(l.Link()))
	if err := l.CollectGarbage(); err == nil {
		t.Error("something was collected without a link")
	}
	wantTools(t, l, "1.1.0-x-y", old, newer)
}

// wantTools compares the directories below tools.
func wantTools(t *testing.T, l install.Layout, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(l.Tools())
	check(t, err)
	var got []string
	for _, e := range entries {
		if e.IsDir() {
			got = append(got, e.Name())
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("there are %v, want %v", got, want)
	}
}

// A version that is removed loses its marker first. So a version that was removed in part is not
// complete.
func TestAVersionThatIsHalfRemovedIsNotComplete(t *testing.T) {
	disk := crashfs.New(crashfs.Ext4)
	l := install.Layout{Dir: "/data", Machine: "3", Disk: disk}
	f, err := disk.Create("/jujud", 0o755)
	check(t, err)
	_, err = f.Write([]byte("a jujud"))
	check(t, err, f.Close(), disk.Mkdir("/data"), l.Prepare(), l.Install("/jujud", old), l.Adopt("/jujud", newer))
	removed := ""
	disk.Before = func(c crashfs.Call) (bool, error) {
		if c.Op == "remove" && removed != "" {
			return false, syscall.EIO
		}
		if c.Op == "remove" {
			removed = c.Path
		}
		return false, nil
	}
	if err := l.CollectGarbage(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("collect: %v, want EIO", err)
	}
	if removed != filepath.Join(l.Version(newer), ".complete") {
		t.Errorf("%s was removed first", removed)
	}
	if err := l.Switch(newer); !errors.Is(err, install.ErrIncomplete) {
		t.Errorf("switch: %v, want ErrIncomplete", err)
	}
}

// The copy that the machine was installed with has the same files as an archive. To go back to it by
// that archive is no conflict, and its marker names the archive from then on.
func TestGoingBackToTheInstalledCopy(t *testing.T) {
	l := installed(t)
	check(t, l.Stage(download(t, l, "the new jujud", nil)), l.Switch(newer), l.WriteJournal(install.Journal{Good: newer, Last: old}))
	to, packed, err := pack(old, "the old jujud")
	check(t, err)
	d, err := l.Download(to)
	check(t, err)
	_, err = d.Write(packed)
	check(t, err, d.Close(), l.Stage(to, newer, old), l.Switch(old))
	wantLink(t, l, old)
	if m, err := l.Verify(old); err != nil || m.Archive != to.SHA256 {
		t.Fatalf("its archive is %q, %v", m.Archive, err)
	}
}
