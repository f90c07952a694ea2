package version_test

import (
	"testing"

	"github.com/jujube-project/jujube/events/version"
)

// numbers are well-formed texts and what they mean.
var numbers = []struct {
	text string
	want version.Number
}{
	{"0.0.1", version.Number{Patch: 1}},
	{"0.0.2", version.Number{Patch: 2}},
	{"0.1.0", version.Number{Minor: 1}},
	{"0.2.1", version.Number{Minor: 2, Patch: 1}},
	{"0.2.2", version.Number{Minor: 2, Patch: 2}},
	{"0.2.3", version.Number{Minor: 2, Patch: 3}},
	{"1.0.0", version.Number{Major: 1}},
	{"1.0.1", version.Number{Major: 1, Patch: 1}},
	{"1.2.3", version.Number{Major: 1, Minor: 2, Patch: 3}},
	{"1.16.0", version.Number{Major: 1, Minor: 16}},
	{"1.18.4", version.Number{Major: 1, Minor: 18, Patch: 4}},
	{"1.20.14", version.Number{Major: 1, Minor: 20, Patch: 14}},
	{"1.22.0", version.Number{Major: 1, Minor: 22}},
	{"1.25.0", version.Number{Major: 1, Minor: 25}},
	{"1.25.1", version.Number{Major: 1, Minor: 25, Patch: 1}},
	{"1.25.10", version.Number{Major: 1, Minor: 25, Patch: 10}},
	{"1.25.100", version.Number{Major: 1, Minor: 25, Patch: 100}},
	{"2.0.0", version.Number{Major: 2}},
	{"2.9.31", version.Number{Major: 2, Minor: 9, Patch: 31}},
	{"3.0.0", version.Number{Major: 3}},
	{"10.0.0", version.Number{Major: 10}},
	{"10.234.3456", version.Number{Major: 10, Minor: 234, Patch: 3456}},
	{"10.20.30", version.Number{Major: 10, Minor: 20, Patch: 30}},
	{"100.200.300", version.Number{Major: 100, Minor: 200, Patch: 300}},
	{"999999999.999999999.999999999", version.Number{Major: 999999999, Minor: 999999999, Patch: 999999999}},
	{"0.0.0.1", version.Number{Build: 1}},
	{"1.2.3.4", version.Number{Major: 1, Minor: 2, Patch: 3, Build: 4}},
	{"1.25.1.1", version.Number{Major: 1, Minor: 25, Patch: 1, Build: 1}},
	{"1.25.1.3", version.Number{Major: 1, Minor: 25, Patch: 1, Build: 3}},
	{"1.25.0.10", version.Number{Major: 1, Minor: 25, Build: 10}},
	{"10.0.0.999999999", version.Number{Major: 10, Build: 999999999}},
	{"10.234.3456.64", version.Number{Major: 10, Minor: 234, Patch: 3456, Build: 64}},
	{"1.21-alpha1", version.Number{Major: 1, Minor: 21, Tag: "alpha", Patch: 1}},
	{"1.21-alpha10", version.Number{Major: 1, Minor: 21, Tag: "alpha", Patch: 10}},
	{"1.21-alpha99", version.Number{Major: 1, Minor: 21, Tag: "alpha", Patch: 99}},
	{"1.21-alpha100", version.Number{Major: 1, Minor: 21, Tag: "alpha", Patch: 100}},
	{"1.21-alpha1.1", version.Number{Major: 1, Minor: 21, Tag: "alpha", Patch: 1, Build: 1}},
	{"1.21-beta0", version.Number{Major: 1, Minor: 21, Tag: "beta"}},
	{"1.21-beta12.34", version.Number{Major: 1, Minor: 21, Tag: "beta", Patch: 12, Build: 34}},
	{"1.25-a1", version.Number{Major: 1, Minor: 25, Tag: "a", Patch: 1}},
	{"1.26-beta2", version.Number{Major: 1, Minor: 26, Tag: "beta", Patch: 2}},
	{"1.26-dev0", version.Number{Major: 1, Minor: 26, Tag: "dev"}},
	{"1.26-rc1", version.Number{Major: 1, Minor: 26, Tag: "rc", Patch: 1}},
	{"2.0-rc1.4", version.Number{Major: 2, Tag: "rc", Patch: 1, Build: 4}},
	{"2.0-final7", version.Number{Major: 2, Tag: "final", Patch: 7}},
	{"1.0-z999999999", version.Number{Major: 1, Tag: "z", Patch: 999999999}},
	{"1.0-abcdefghijklmnopqrstuvwxyz1", version.Number{Major: 1, Tag: "abcdefghijklmnopqrstuvwxyz", Patch: 1}},
}

// malformed are texts that are no number. Juju 1.25 refuses those in the first lines. It accepts leading
// zeros, a build of zero and capital tags, which are refused here.
var malformed = []string{
	"", "1", "2", "1.23", "1.21.alpha1", "1.21-alpha", "1.21-alpha1beta", "1.21-alpha-dev", "0.2..1", "1.21-alpha_dev3",
	"1234567890.2.1", "0.1234567890.1", "0.2.1234567890", "0.2.1.1234567890", "1.21-alpha1234567890", "99999999999999999999.0.0",
	"01.0.0", "1.01.0", "1.0.01", "1.0.0.01", "1.0-beta01", "00.1.1", "1.00.1", "1.1.00", "1.0.0.0", "1.0-beta1.0",
	".", "..", "...", "1.", "1..", "1..2", ".1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "1.2.3..4",
	"-1.2.3", "1.-2.3", "1.2.-3", "+1.2.3", "1.+2.3", "1.2.+3", "1-2-3", "1-2.3", "1.2-3", "1.21-1", "1.21-.1", "1.21--alpha1", "1.2.3-4",
	"1.21-ALPHA1", "1.21-Alpha1", "1.21-al.pha1", "1.21-al pha1", "1.21-\u00e4lpha1", "1.2-beta.1", "1.2.3.beta1", "1.2.3-beta1", "beta1", "1.beta1",
	"1.2.3-amd64", "1.2.3-trusty-amd64", "v1.2.3", "juju-1.2.3", "1.2.3 ", " 1.2.3", "1. 2.3", "1.2.3\n", "\n1.2.3", "1.2.3\x00", "1.2.3\t",
	"1,2,3", "1.2.x", "a.b.c", "x.2.3", "1.x.3", "1e3.0.0", "0x1.0.0", "1_0.0.0", "\u0663.1.2", "1.\u0663.2", "\uff11.2.3", "latest", "1.2.3/../4", "1.2.*",
	">=1.2.3", "~1.2.3",
}

func TestParse(t *testing.T) {
	for _, c := range numbers {
		n, err := version.Parse(c.text)
		if err != nil || n != c.want || n.String() != c.text {
			t.Errorf("%q is read as %+v (%s), %v; want %+v", c.text, n, n, err, c.want)
		}
	}
	for _, s := range malformed {
		if n, err := version.Parse(s); err == nil || !n.IsZero() {
			t.Errorf("%q was read as %s", s, n)
		}
	}
	if total := len(numbers) + len(malformed); total < 100 {
		t.Errorf("only %d cases", total)
	}
}
