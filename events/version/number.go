package version

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Number is the version of the server software: major.minor.patch[.build] or
// major.minor-TAGpatch[.build]. The zero Number means "none". Two Numbers are the same version if
// they are equal by ==.
type Number struct {
	Major, Minor int
	Tag          string // lower-case word such as "beta"; empty for a release
	Patch        int
	Build        int // 0: none
}

// part is a number without leading zeros, of at most nine digits.
const part = `(0|[1-9]\d{0,8})`

var numberRE = regexp.MustCompile(`^` + part + `\.` + part + `(?:\.|-([a-z]+))` + part + `(?:\.([1-9]\d{0,8}))?$`)

// Parse reads the canonical text of a number, and returns an error for any other text. What a person
// types is read by ParsePerson.
func Parse(s string) (Number, error) {
	if n, ok := parseRelease(s); ok {
		return n, nil
	}
	m := numberRE.FindStringSubmatch(s)
	if m == nil {
		return Number{}, fmt.Errorf("version %q is not major.minor.patch[.build] or major.minor-TAGpatch[.build]", s)
	}
	n := Number{Major: atoi(m[1]), Minor: atoi(m[2]), Tag: m[3], Patch: atoi(m[4]), Build: atoi(m[5])}
	return n, nil
}

// parseRelease reads major.minor.patch without the regular expression. Most versions look like that,
// and a replay of a long log reads millions of them. For any other text ok is false, and numberRE
// decides.
func parseRelease(s string) (Number, bool) {
	var parts [3]int
	for i := range parts {
		text, rest, more := strings.Cut(s, ".")
		if more != (i < 2) || text == "" || len(text) > 9 || text[0] == '0' && text != "0" {
			return Number{}, false
		}
		for _, c := range []byte(text) {
			if c < '0' || c > '9' {
				return Number{}, false
			}
			parts[i] = 10*parts[i] + int(c-'0')
		}
		s = rest
	}
	return Number{Major: parts[0], Minor: parts[1], Patch: parts[2]}, true
}

// atoi converts at most nine digits: numberRE allows no more.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// ParsePerson reads a version as a person types it on a command line. Two parts mean patch 0, as in
// the manual ("1.23" is 1.23.0).
func ParsePerson(s string) (Number, error) {
	if major, minor, ok := strings.Cut(s, "."); ok && !strings.ContainsAny(minor, ".-") {
		return Parse(major + "." + minor + ".0")
	}
	return Parse(s)
}

// String gives the canonical text; Parse reads it back.
func (n Number) String() string {
	s := minorText(n.Major, n.Minor) + "." + strconv.Itoa(n.Patch)
	if n.Tag != "" {
		s = minorText(n.Major, n.Minor) + "-" + n.Tag + strconv.Itoa(n.Patch)
	}
	if n.Build > 0 {
		s += "." + strconv.Itoa(n.Build)
	}
	return s
}

// IsZero says whether n is no version at all.
func (n Number) IsZero() bool { return n == Number{} }

// Compare orders numbers by major, minor, tag, patch and build, in this order. A number without a
// tag is newer than one with a tag, and tags are ordered by name. Compare returns -1 if n is older
// than o, 1 if it is newer, and 0 if they are equal.
func (n Number) Compare(o Number) int {
	switch {
	case n.Major != o.Major:
		return cmp.Compare(n.Major, o.Major)
	case n.Minor != o.Minor:
		return cmp.Compare(n.Minor, o.Minor)
	case n.Tag != o.Tag:
		return compareTags(n.Tag, o.Tag)
	case n.Patch != o.Patch:
		return cmp.Compare(n.Patch, o.Patch)
	}
	return cmp.Compare(n.Build, o.Build)
}

// compareTags orders two different tags.
func compareTags(a, b string) int {
	switch {
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return strings.Compare(a, b)
}

// MarshalText gives the canonical text; the zero Number is the empty text.
func (n Number) MarshalText() ([]byte, error) {
	if n.IsZero() {
		return nil, nil
	}
	return []byte(n.String()), nil
}

// UnmarshalText reads the canonical text; the empty text is the zero Number.
func (n *Number) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*n = Number{}
		return nil
	}
	*n, err = Parse(string(b))
	return err
}
