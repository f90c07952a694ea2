// Package hostile makes archives of tools that nobody may take, for tests of whatever reads
// archives: each breaks one thing in an otherwise good one.
package hostile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// BombBytes is what the bomb unpacks to: more than a thousand times its own size, as much
// as deflate can do.
const BombBytes = 64 << 20

// Archives are the hostile ones, by what is wrong. program is what the jujud in them holds.
func Archives(t testing.TB, program string) map[string][]byte {
	t.Helper()
	jujud := tar.Header{Name: "jujud", Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(program))}
	as := func(change func(h *tar.Header)) tar.Header {
		h := jujud
		change(&h)
		return h
	}
	link := func(kind byte, name, to string) tar.Header {
		return tar.Header{Name: name, Linkname: to, Mode: 0o777, Typeflag: kind}
	}
	body := map[string][]tar.Header{
		"traversal":              {jujud, as(func(h *tar.Header) { h.Name = "../../../evil" })},
		"absolute path":          {jujud, as(func(h *tar.Header) { h.Name = "/tmp/evil" })},
		"link to a directory":    {link(tar.TypeSymlink, "sub", "../.."), as(func(h *tar.Header) { h.Name = "sub/evil" }), jujud},
		"link to a file":         {link(tar.TypeSymlink, "jujud", "../../evil"), jujud},
		"hard link":              {link(tar.TypeLink, "FORCE-VERSION", "/etc/passwd"), jujud},
		"setuid on another name": {jujud, as(func(h *tar.Header) { h.Name, h.Mode = "su", 0o4755 })},
		"fifo":                   {jujud, {Name: "FORCE-VERSION", Mode: 0o644, Typeflag: tar.TypeFifo}},
		"device":                 {jujud, {Name: "FORCE-VERSION", Mode: 0o644, Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5}},
		"duplicate":              {jujud, jujud},
		"extra file":             {jujud, as(func(h *tar.Header) { h.Name = "libevil.so" })},
		"directory":              {jujud, {Name: "sub/", Mode: 0o755, Typeflag: tar.TypeDir}},
	}
	all := map[string][]byte{"bomb": pack(t, strings.Repeat("\x00", BombBytes), as(func(h *tar.Header) { h.Size = BombBytes }))}
	for name, headers := range body {
		all[name] = pack(t, program, headers...)
	}
	return all
}

func pack(t testing.TB, content string, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
