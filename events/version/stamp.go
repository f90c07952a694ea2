package version

import (
	"bytes"
	"slices"
	"strings"
)

// A stamp stands between these two in a program, so that it can be found there without running it.
const (
	stampBegin = "jujube-version/"
	stampEnd   = "/"
	stampBytes = 64 // of the number between them, at most
)

// Stamp is what the linker is told, so that a build has this version.
func Stamp(number string) string { return stampBegin + number + stampEnd }

// unstamped is the number in a stamp. Builds may be told the bare number, too; nobody finds that in them.
func unstamped(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text, stampBegin), stampEnd)
}

// Stamps finds the versions that a program is stamped with, while its bytes are written to it.
type Stamps struct {
	Found []Number
	tail  []byte // of what was written before: a stamp may lie across two writes
}

// Write never fails.
func (s *Stamps) Write(p []byte) (int, error) {
	rest := slices.Concat(s.tail, p)
	for {
		at := bytes.Index(rest, []byte(stampBegin))
		if at < 0 {
			break
		}
		text := rest[at+len(stampBegin):]
		end := bytes.IndexAny(text[:min(len(text), stampBytes+1)], stampEnd)
		if end < 0 && len(text) <= stampBytes { // the rest is still to come
			s.tail = slices.Clone(rest[at:])
			return len(p), nil
		}
		if end >= 0 {
			if n, err := Parse(string(text[:end])); err == nil && !slices.Contains(s.Found, n) {
				s.Found = append(s.Found, n)
			}
		}
		rest = text
	}
	s.tail = slices.Clone(rest[max(0, len(rest)-len(stampBegin)+1):])
	return len(p), nil
}
