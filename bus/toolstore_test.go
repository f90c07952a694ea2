package bus_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

type noCheck struct{ io.Writer }

func (noCheck) Close() error { return nil }

func unchecked() io.WriteCloser { return noCheck{io.Discard} }

// bytesOf makes an archive of some size: what is in it is not the bus's business.
func bytesOf(patch, size int) (tools.Tools, []byte) {
	data := bytes.Repeat([]byte{byte(patch)}, size)
	for i := range data {
		data[i] += byte(i >> 8)
	}
	sum := sha256.Sum256(data)
	v := version.Binary{Number: version.Number{Major: 1, Minor: 25, Patch: patch}, Series: "trusty", Arch: "amd64"}
	return tools.Tools{Version: v, Size: int64(size), SHA256: hex.EncodeToString(sum[:])}, data
}

const someChunks = 5*256<<10 + 17

// begin stores two chunks of an archive and leaves it.
func begin(t *testing.T, s *bus.ToolStore, a tools.Tools, data []byte) {
	t.Helper()
	in, err := s.Receive(t.Context(), a, unchecked)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if in.Next() != 0 {
		t.Fatalf("%d bytes of it are there", in.Next())
	}
	stored, err := in.Append(data[:512<<10])
	if err == nil {
		err = stored(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The first chunks of an archive, those of another one, then the rest: wherever a machine
// begins, it gets the right bytes.
func TestAnObjectInTwoPlaces(t *testing.T) {
	b := bustest.Start(t)
	s := b.StateServer().Tools()
	a, data := bytesOf(1, someChunks)
	other, otherData := bytesOf(2, someChunks)
	begin(t, s, a, data)
	if err := s.Put(t.Context(), other, bytes.NewReader(otherData), unchecked); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), a, bytes.NewReader(data), unchecked); err != nil {
		t.Fatal(err)
	}
	machine := b.Agent("machine-0").Tools()
	for _, from := range []int64{0, 1, 256 << 10, 700_000, a.Size - 1, a.Size} {
		var got bytes.Buffer
		n, err := machine.Fetch(t.Context(), a.SHA256, from, &got)
		if err != nil || n != a.Size-from || !bytes.Equal(got.Bytes(), data[from:]) {
			t.Errorf("from %d on: %d bytes, %v", from, n, err)
		}
	}
}

func TestPutLeavesNothingOfBadBytes(t *testing.T) {
	b := bustest.Start(t)
	s := b.StateServer().Tools()
	a, data := bytesOf(1, someChunks)
	errBad := errors.New("bad")
	for name, c := range map[string]struct {
		data  []byte
		check func() io.WriteCloser
		want  error
	}{
		"other bytes": {append(bytes.Clone(data[:someChunks-1]), 'x'), unchecked, bus.ErrDigest},
		"fewer bytes": {data[:someChunks-1], unchecked, bus.ErrDigest},
		"more bytes":  {append(bytes.Clone(data), 'x'), unchecked, bus.ErrDigest},
		"a check":     {data, func() io.WriteCloser { return badCheck{errBad} }, errBad},
	} {
		if err := s.Put(t.Context(), a, bytes.NewReader(c.data), c.check); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if there, err := s.Has(t.Context(), a.SHA256); there || err != nil {
			t.Errorf("%s: visible: %v, %v", name, there, err)
		}
		begin(t, s, a, data) // at its first byte
		if removed, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), 9); err != nil || len(removed) != 1 {
			t.Errorf("%s: swept %v, %v", name, removed, err)
		}
	}
}

type badCheck struct{ err error }

func (badCheck) Write(p []byte) (int, error) { return len(p), nil }
func (c badCheck) Close() error              { return c.err }

func TestSweep(t *testing.T) {
	b := bustest.Start(t)
	s := b.StateServer().Tools()
	whole, data := bytesOf(1, someChunks)
	if err := s.Put(t.Context(), whole, bytes.NewReader(data), unchecked); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for patch := 2; patch < 5; patch++ {
		a, data := bytesOf(patch, someChunks)
		begin(t, s, a, data)
		parts = append(parts, a.SHA256)
	}
	long := time.Now().Add(-time.Hour)
	if removed, err := s.Sweep(t.Context(), long, 3); err != nil || len(removed) != 0 {
		t.Fatalf("removed %v, %v", removed, err)
	}
	removed, err := s.Sweep(t.Context(), long, 1)
	slices.Sort(removed)
	old := slices.Sorted(slices.Values(parts[:2]))
	if err != nil || !slices.Equal(removed, old) {
		t.Fatalf("removed %v, %v; want the older two, %v", removed, err, old)
	}
	if removed, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), 3); err != nil || !slices.Equal(removed, parts[2:]) {
		t.Fatalf("removed %v, %v; want what is too old", removed, err)
	}
	if n, err := s.Fetch(t.Context(), whole.SHA256, 0, io.Discard); err != nil || n != whole.Size {
		t.Fatalf("of the whole object %d bytes are left, %v", n, err)
	}
}

func TestAFullStore(t *testing.T) {
	b := bustest.StartSmall(t, 1<<20)
	s := b.StateServer().Tools()
	a, data := bytesOf(1, 4<<20)
	if err := s.Put(t.Context(), a, bytes.NewReader(data), unchecked); !errors.Is(err, bus.ErrNoSpace) {
		t.Fatalf("a full store: %v", err)
	}
	small, data := bytesOf(2, 1000)
	if err := s.Put(t.Context(), small, bytes.NewReader(data), unchecked); err != nil {
		t.Fatalf("and then a small archive: %v", err)
	}
}

func TestOneStoresAnArchiveAtATime(t *testing.T) {
	s := bustest.Start(t).StateServer().Tools()
	a, _ := bytesOf(1, someChunks)
	in, err := s.Receive(t.Context(), a, unchecked)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(t.Context(), a, unchecked); !errors.Is(err, bus.ErrBusy) {
		t.Errorf("a second one: %v", err)
	}
	in.Close()
	in.Close()
	if in, err = s.Receive(t.Context(), a, unchecked); err != nil {
		t.Fatal(err)
	}
	in.Close()
}

// What is no archive lies beside them, under its digest, and can be taken out again.
func TestMetadataBesideArchives(t *testing.T) {
	s := bustest.Start(t).StateServer().Tools()
	data := bytes.Repeat([]byte("signed "), 60<<10) // more than one chunk
	o, err := s.PutMetadata(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutMetadata(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	if got, err := s.GetMetadata(t.Context(), o); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("got %d bytes, %v", len(got), err)
	}
	short := o
	short.Size--
	if _, err := s.GetMetadata(t.Context(), short); !errors.Is(err, bus.ErrDigest) {
		t.Errorf("more than was promised: %v", err)
	}
	if err := errors.Join(s.KeepMetadata(t.Context(), o.SHA256), s.KeepMetadata(t.Context()), s.KeepMetadata(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetMetadata(t.Context(), o); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("removed, and read with %v", err)
	}
}
