package version

import (
	"fmt"
	"strings"
)

// Binary names one build of the server software: NUMBER-SERIES-ARCH, such as
// "1.25.1-trusty-amd64". The zero Binary means "none".
type Binary struct {
	Number
	Series string // operating system release, such as "trusty"
	Arch   string // processor, such as "amd64"
}

// isWord says whether s is one or more lower-case letters and digits.
func isWord(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// ParseBinary reads the canonical text of a binary version.
func ParseBinary(s string) (Binary, error) {
	head, arch, ok1 := cutLast(s)
	number, series, ok2 := cutLast(head)
	if !ok1 || !ok2 || !isWord(series) || !isWord(arch) {
		return Binary{}, fmt.Errorf("binary version %q is not NUMBER-SERIES-ARCH", s)
	}
	n, err := Parse(number)
	if err != nil {
		return Binary{}, fmt.Errorf("binary version %q: %w", s, err)
	}
	return Binary{Number: n, Series: series, Arch: arch}, nil
}

// cutLast cuts s at its last dash.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// String gives the canonical text; ParseBinary reads it back.
func (b Binary) String() string {
	return b.Number.String() + "-" + b.Series + "-" + b.Arch
}

// Platform is the series and architecture alone: "trusty-amd64".
func (b Binary) Platform() string { return b.Series + "-" + b.Arch }

// IsZero says whether b is no version at all.
func (b Binary) IsZero() bool { return b == Binary{} }

// MarshalText gives the canonical text; the zero Binary is the empty text.
func (b Binary) MarshalText() ([]byte, error) {
	if b.IsZero() {
		return nil, nil
	}
	return []byte(b.String()), nil
}

// UnmarshalText reads the canonical text; the empty text is the zero Binary.
func (b *Binary) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*b = Binary{}
		return nil
	}
	*b, err = ParseBinary(string(text))
	return err
}
