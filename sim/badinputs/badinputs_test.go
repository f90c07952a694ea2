package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestListHasEveryInputOnce(t *testing.T) {
	all := inputs()
	if len(all) != 100 {
		t.Fatalf("%d inputs, want 100", len(all))
	}
	for i, in := range all {
		if ids := idsIn(in.id); len(ids) != 1 || ids[0] != in.id || in.name == "" || in.outcome == "" {
			t.Errorf("line %d: %+v", i+1, in)
		}
	}
}

// Every input is shown by a test, or the list says why not.
func TestEveryInputIsShown(t *testing.T) {
	tests, err := findTests(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs() {
		if len(tests[in.id]) == 0 && in.notShown == "" {
			t.Errorf("%s (%s): no test names it, and list.txt does not say why", in.id, in.name)
		}
	}
}

func TestFindTests(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a_test.go", "package a\nvar table = []string{\"BI-02 b\"}\nfunc TestBI01Name() {}\nfunc TestTable() { _ = table; _ = \"BI-100\" }\n")
	write("BI-07.txtar", "# also BI-08\n")
	found, err := findTests(dir)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"BI-01": ". `TestBI01Name`", "BI-02": ". `TestTable`", "BI-100": ". `TestTable`", "BI-07": "script `BI-07`", "BI-08": "script `BI-07`",
	} {
		if got := found[id]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	o, err := readOutcomes(strings.NewReader(`# building
{"Action":"run","Test":"TestX/BI-01_a"}
{"Action":"pass","Test":"TestX/BI-01_a"}
{"Action":"fail","Test":"TestBI02Name"}
{"Action":"skip","Test":"TestBI03Name"}
`))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"BI-01": "held", "BI-02": "FAILED", "BI-03": "skipped", "BI-04": "NO TEST RAN"} {
		if got, _ := o.of(input{id: id}); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}
