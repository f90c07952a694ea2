package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/tools/archive"
)

// tgz makes an archive of any headers at all; the content is as many x as Size says.
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
	if err := archive.Pack(io.Discard, archive.File{Name: "jujud", Size: 5, Body: strings.NewReader("x")}); err == nil {
		t.Fatal("a file shorter than it says was packed")
	}
}
