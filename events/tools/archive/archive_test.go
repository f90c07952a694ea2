package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/tools/archive"
)

// tgz makes an archive of any headers. The content of each file is as many x as its Size says.
func tgz(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, strings.Repeat("x", int(h.Size))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func walk(b []byte, limit archive.Limits) (names []string, err error) {
	for e, err := range archive.Walk(bytes.NewReader(b), limit) {
		if err != nil {
			return names, err
		}
		if n, err := io.Copy(io.Discard, e.Body); err != nil || n != e.Size {
			return names, errors.Join(err, archive.ErrArchive)
		}
		names = append(names, e.Name)
	}
	return names, nil
}

func file(name string, size int64) tar.Header {
	return tar.Header{Name: name, Size: size, Typeflag: tar.TypeReg, Mode: 0o4777}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	good := tgz(t, file("jujud", 1000))
	cut := append([]byte{}, good[:len(good)/2]...)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty file":       {nil, "not gzip"},
		"not gzip":         {[]byte("<html>"), "not gzip"},
		"truncated":        {cut, "unexpected EOF"},
		"no jujud":         {tgz(t, file("FORCE-VERSION", 5)), "no jujud"},
		"nothing in it":    {tgz(t), "no jujud"},
		"path that climbs": {tgz(t, file("../jujud", 5)), "not one of"},
		"absolute path":    {tgz(t, file("/bin/jujud", 5)), "not one of"},
		"other name":       {tgz(t, file("jujud", 5), file("libevil.so", 5)), "not one of"},
		"twice":            {tgz(t, file("jujud", 5), file("jujud", 5)), "twice"},
		"empty jujud":      {tgz(t, file("jujud", 0)), "is empty"},
		"symbolic link":    {tgz(t, tar.Header{Name: "jujud", Typeflag: tar.TypeSymlink, Linkname: "/bin/sh"}), "no regular file"},
		"hard link":        {tgz(t, tar.Header{Name: "jujud", Typeflag: tar.TypeLink, Linkname: "/bin/sh"}), "no regular file"},
		"device":           {tgz(t, tar.Header{Name: "jujud", Typeflag: tar.TypeBlock}), "no regular file"},
		"fifo":             {tgz(t, tar.Header{Name: "jujud", Typeflag: tar.TypeFifo}), "no regular file"},
		"directory":        {tgz(t, tar.Header{Name: "jujud/", Typeflag: tar.TypeDir}), "no regular file"},
		"bomb":             {tgz(t, file("jujud", 2<<20)), "unpacks to more"},
		"sum overflows":    {headerOnly(t, file("FORCE-VERSION", 5), file("jujud", math.MaxInt64-1)), "unpacks to more"},
		"negative size":    {negativeSize(t), "invalid tar header"},
		"garbage behind":   {append(slices.Clone(good), "garbage"...), "does not end"},
		"second tar":       {append(slices.Clone(good), tgz(t, file("jujud", 2<<20))...), "does not end"},
		"long version":     {tgz(t, file("jujud", 5), file("FORCE-VERSION", 200)), "limit 128"},
	} {
		t.Run(name, func(t *testing.T) {
			names, err := walk(c.data, archive.Limits{Bytes: 1 << 20})
			if !errors.Is(err, archive.ErrArchive) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("walked %v, %v; want ErrArchive with %q", names, err, c.want)
			}
		})
	}
}

func TestPackIsReadBackAndRepeatable(t *testing.T) {
	pack := func() []byte {
		var b bytes.Buffer
		err := archive.Pack(&b,
			archive.File{Name: archive.Jujud, Size: 3, Body: strings.NewReader("elf")},
			archive.File{Name: archive.ForceVersion, Size: 6, Body: strings.NewReader("1.25.1")})
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	first := pack()
	if !bytes.Equal(first, pack()) {
		t.Fatal("the same files gave other bytes")
	}
	names, err := walk(first, archive.Limits{})
	if err != nil || strings.Join(names, " ") != "jujud FORCE-VERSION" {
		t.Fatalf("walked %v, %v", names, err)
	}
	for e, err := range archive.Walk(bytes.NewReader(first), archive.Limits{}) {
		want := map[string]fs.FileMode{"jujud": 0o755, "FORCE-VERSION": 0o644}[e.Name]
		if err != nil || e.Mode != want {
			t.Fatalf("%s has mode %o, %v; want %o", e.Name, e.Mode, err, want)
		}
	}
}

func TestPackRefusesWhatWalkWould(t *testing.T) {
	jujud := func(size int64) archive.File {
		return archive.File{Name: "jujud", Size: size, Body: strings.NewReader("elf")}
	}
	for name, c := range map[string]struct {
		files []archive.File
		want  string
	}{
		"nothing":         {nil, "no jujud"},
		"shorter than it": {[]archive.File{jujud(5)}, "3 of 5 bytes"},
		"longer than it":  {[]archive.File{jujud(2)}, "of 2 bytes"},
		"empty":           {[]archive.File{jujud(0)}, "empty"},
		"twice":           {[]archive.File{jujud(3), jujud(3)}, "there already"},
		"other name":      {[]archive.File{{Name: "../jujud", Size: 1, Body: strings.NewReader("x")}}, "not one of"},
	} {
		if err := archive.Pack(io.Discard, c.files...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: packed, %v; want %q", name, err, c.want)
		}
	}
}

// headerOnly writes headers without content, so that they can name any size.
func headerOnly(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, h := range headers {
		var one bytes.Buffer
		w := tar.NewWriter(&one)
		h.Format = tar.FormatGNU
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size < 512 {
			one.Write(make([]byte, 512))
		}
		if _, err := z.Write(one.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// negativeSize is a header whose binary size field is below zero.
func negativeSize(t *testing.T) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(headerOnly(t, file("jujud", 5))))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for i := 124; i < 136; i++ {
		raw[i] = 0xff
	}
	sum := 0
	for i, c := range raw[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int(c)
	}
	copy(raw[148:156], fmt.Sprintf("%06o\x00 ", sum))
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever the bytes are, Walk yields only files with known names, within the limits and with safe modes.
func FuzzWalk(f *testing.F) {
	var b bytes.Buffer
	if err := archive.Pack(&b, archive.File{Name: "jujud", Size: 3, Body: strings.NewReader("elf")}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, data []byte) {
		total := int64(0)
		for e, err := range archive.Walk(bytes.NewReader(data), archive.Limits{Bytes: 1 << 16}) {
			if err != nil {
				if !errors.Is(err, archive.ErrArchive) {
					t.Fatal(err)
				}
				return
			}
			n, err := io.Copy(io.Discard, e.Body)
			if total += n; total > 1<<16 || strings.ContainsAny(e.Name, "/\\") || e.Mode.Perm()&0o022 != 0 || e.Mode != e.Mode.Perm() {
				t.Fatalf("walked %q %v, %d bytes in all, %v", e.Name, e.Mode, total, err)
			}
		}
	})
}

// What it costs to look into an archive that holds the program of this test.
func BenchmarkWalk(b *testing.B) {
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		b.Fatal(err)
	}
	var packed bytes.Buffer
	if err := archive.Pack(&packed, archive.File{Name: archive.Jujud, Size: int64(len(program)), Body: bytes.NewReader(program)}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(packed.Len()))
	for b.Loop() {
		for e, err := range archive.Walk(bytes.NewReader(packed.Bytes()), archive.Limits{}) {
			if err == nil {
				_, err = io.Copy(io.Discard, e.Body)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
