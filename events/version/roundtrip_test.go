package version_test

import (
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
	elsewhere "github.com/hashicorp/go-version"

	"github.com/jujube-project/jujube/events/version"
)

// The facts that docs/adr/0008-our-own-version-grammar.md rests on.
func TestWhereGoVersionDiffers(t *testing.T) {
	v := func(s string) *elsewhere.Version {
		n, err := elsewhere.NewVersion(s)
		if err != nil {
			t.Fatalf("go-version does not read %q: %v", s, err)
		}
		return n
	}
	if v("1.26-alpha10").Compare(v("1.26-alpha9")) >= 0 || num(t, "1.26-alpha10").Compare(num(t, "1.26-alpha9")) <= 0 {
		t.Error("go-version orders the digits after a tag by number")
	}
	for _, s := range []string{"1", "1.23", "01.2.3", "v1.2.3", "1.2.3.4.5", "1.2.3-beta1", "1.2.3+x"} {
		v(s)
		if n, err := version.Parse(s); err == nil {
			t.Errorf("%q was read as %s", s, n)
		}
	}
	if got := v("1.26-beta2").String(); got == "1.26-beta2" {
		t.Errorf("go-version gives back %s", got)
	}
}

// Every number and binary survives JSON, YAML and text.
func FuzzRoundTrip(f *testing.F) {
	for _, c := range numbers {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		type doc struct {
			N version.Number `json:"n" yaml:"n"`
			B version.Binary `json:"b" yaml:"b"`
		}
		n, err := version.Parse(s)
		if err != nil {
			return
		}
		want := doc{n, version.Binary{Number: n, Series: "trusty", Arch: "amd64"}}
		j, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		y, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON, fromYAML doc
		if err := json.Unmarshal(j, &fromJSON); err != nil || fromJSON != want {
			t.Fatalf("%s is read back as %+v, %v", j, fromJSON, err)
		}
		if err := yaml.Unmarshal(y, &fromYAML); err != nil || fromYAML != want {
			t.Fatalf("%s is read back as %+v, %v", y, fromYAML, err)
		}
	})
}
