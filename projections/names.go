package projections

import (
	"cmp"
	"strings"
)

// CompareNames orders names as a person does: it compares runs of digits as numbers, so that machine 2
// comes before machine 10, and web/2 before web/10. It returns -1, 0 or 1. Only equal names give 0:
// names that differ in leading zeros are ordered as text.
func CompareNames(a, b string) int {
	wholeA, wholeB := a, b
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da == 0 || db == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		if c := compareDigits(a[:da], b[:db]); c != 0 {
			return c
		}
		a, b = a[da:], b[db:]
	}
	switch {
	case a != "":
		return 1
	case b != "":
		return -1
	}
	return strings.Compare(wholeA, wholeB)
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// compareDigits compares two numbers of any length.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	switch {
	case len(a) < len(b):
		return -1
	case len(a) > len(b):
		return 1
	}
	return strings.Compare(a, b)
}
