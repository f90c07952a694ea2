package version_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/events/version"
)

func TestPeopleMayLeaveOutThePatch(t *testing.T) {
	for s, want := range map[string]string{"1.23": "1.23.0", "1.25.1": "1.25.1", "1.26-beta2": "1.26-beta2", "2.1": "2.1.0"} {
		n, err := version.ParsePerson(s)
		if err != nil || n.String() != want {
			t.Errorf("%q is read as %q, %v; want %s", s, n, err, want)
		}
	}
	for _, s := range []string{"1", "1.", "1.x", "", "1.23.", "1.2-"} {
		if n, err := version.ParsePerson(s); err == nil {
			t.Errorf("%q was read as %s", s, n)
		}
	}
}

func TestOrder(t *testing.T) {
	sorted := strings.Fields(`0.9.9 1.2-alpha2 1.2-alpha2.1 1.2-alpha10 1.2-alpha99 1.2-alpha100 1.2-beta1 1.2-rc1 1.2.0 1.2.0.1 1.2.1
		1.2.2 1.2.10 1.3-alpha1 1.3.0 1.10.0 2.0-alpha1 2.0.0 10.0.0`)
	for i, a := range sorted {
		for j, b := range sorted {
			if got, want := num(t, a).Compare(num(t, b)), sign(i-j); got != want {
				t.Errorf("%s against %s is %d, want %d", a, b, got, want)
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestBinaries(t *testing.T) {
	for _, s := range []string{"1.25.1-trusty-amd64", "1.26-beta2-trusty-arm64", "1.25.1.3-win2012-amd64", "1.0.0-genericlinux-ppc64el"} {
		b, err := version.ParseBinary(s)
		if err != nil || b.String() != s {
			t.Errorf("%q is read as %q, %v", s, b, err)
		}
	}
	for _, s := range []string{
		"", "1.25.1", "1.25.1-trusty", "1.25.1--amd64", "1.25.1-trusty-", "1.25-trusty-amd64", "1.25.1-Trusty-amd64",
		"1.25.1-tr usty-amd64", "1.25.1-../x-amd64",
	} {
		if b, err := version.ParseBinary(s); err == nil {
			t.Errorf("%q was read as %s", s, b)
		}
	}
}

func TestMarshalling(t *testing.T) {
	type doc struct {
		N version.Number `json:"n" yaml:"n"`
		B version.Binary `json:"b" yaml:"b"`
		Z version.Number `json:"z" yaml:"z"`
	}
	want := doc{N: num(t, "1.26-beta2"), B: version.Binary{Number: num(t, "1.25.1"), Series: "trusty", Arch: "amd64"}}
	for name, c := range map[string]struct {
		marshal   func(any) ([]byte, error)
		unmarshal func([]byte, any) error
	}{
		"json": {json.Marshal, json.Unmarshal},
		"yaml": {func(v any) ([]byte, error) { return yaml.Marshal(v) }, func(b []byte, v any) error { return yaml.Unmarshal(b, v) }},
	} {
		b, err := c.marshal(want)
		if err != nil || !strings.Contains(string(b), "1.25.1-trusty-amd64") {
			t.Fatalf("%s gives %s, %v", name, b, err)
		}
		var got doc
		if err := c.unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("%s reads back %+v, %v", name, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.25.1", "1.26-beta2.3", "1.23", "x", "1.25.1-trusty-amd64"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := version.Parse(s); err == nil && n.String() != s {
			t.Fatalf("%q is read as %q", s, n)
		}
		if b, err := version.ParseBinary(s); err == nil && b.String() != s {
			t.Fatalf("%q is read as %q", s, b)
		}
		if n, err := version.ParsePerson(s); err == nil && !slices.Contains([]string{s, s + ".0"}, n.String()) {
			t.Fatalf("%q is read as %q", s, n)
		}
	})
}
