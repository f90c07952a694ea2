package archive_test

import (
	"errors"
	"testing"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools/archive"
)

func TestLimitsOfArchives(t *testing.T) {
	for name, c := range map[string]struct {
		at, past []byte
		limit    archive.Limits
	}{
		"UnpackedBytes":  {tgz(t, file("jujud", 1000)), tgz(t, file("jujud", 1001)), archive.Limits{Bytes: 1000}},
		"ArchiveEntries": {tgz(t, file("jujud", 9)), tgz(t, file("jujud", 9), file("FORCE-VERSION", 9)), archive.Limits{Entries: 1}},
		"ForceVersionBytes": {
			tgz(t, file("jujud", 9), file("FORCE-VERSION", limits.ForceVersionBytes)),
			tgz(t, file("jujud", 9), file("FORCE-VERSION", limits.ForceVersionBytes+1)),
			archive.Limits{},
		},
	} {
		if _, err := walk(c.at, c.limit); err != nil {
			t.Errorf("%s: at the limit: %v", name, err)
		}
		if _, err := walk(c.past, c.limit); !errors.Is(err, archive.ErrArchive) {
			t.Errorf("%s: one past the limit: %v", name, err)
		}
	}
	// The default limits: a header that names the size is enough.
	for _, size := range []int64{limits.UnpackedBytes, limits.UnpackedBytes + 1} {
		_, err := walk(headerOnly(t, file("jujud", size)), archive.Limits{})
		if !errors.Is(err, archive.ErrArchive) || errors.Is(err, archive.ErrLarge) != (size > limits.UnpackedBytes) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	for size, want := range map[int64]int64{
		1: limits.UnpackFloor, limits.UnpackFloor / limits.UnpackFactor: limits.UnpackFloor,
		limits.UnpackFloor/limits.UnpackFactor + 1: limits.UnpackFloor +
			limits.UnpackFactor, limits.ArchiveBytes: limits.UnpackedBytes, 1 << 62: limits.UnpackedBytes,
	} {
		if got := archive.Within(size).Bytes; got != want {
			t.Errorf("an archive of %d bytes may unpack to %d, want %d", size, got, want)
		}
	}
	if n := limits.ArchiveEntries; n < 2 {
		t.Errorf("an archive may hold %d files", n)
	}
}
