package simplestreams_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

var sha = strings.Repeat("a", 64)

// A products file as tools of Juju may write it: an item takes the fields that it leaves out from a level
// above it.
const inherited = `{"format":"products:1.0","content_id":"com.ubuntu.juju:released:tools","updated":"x","products":{
	"com.ubuntu.juju:14.04:amd64":{"arch":"amd64","version":"14.04","ftype":"tar.gz","versions":{
		"20150915":{"release":"trusty","items":{"b":ITEM}},
		"20150101":{"items":{"a":{"release":"trusty","version":"1.25.0","size":5,"path":"releases/juju-1.25.0-trusty-amd64.tgz","sha256":"SHA"}}}}}}}`

func products(item string) []byte {
	return []byte(strings.ReplaceAll(strings.Replace(inherited, "ITEM", item, 1), "SHA", sha))
}

func TestParseProducts(t *testing.T) {
	list, faults := simplestreams.ParseProducts(products(`{"version":"1.25.1","size":6,"path":"releases/x.tgz","sha256":"SHA","extra":1,"floor":true}`),
		"released")
	if faults != nil || len(list) != 2 || list[0].Version.String() != "1.25.0-trusty-amd64" || list[1].Version.String() != "1.25.1-trusty-amd64" ||
		!list[1].Floor {
		t.Fatalf("read %+v, %v", list, faults)
	}
	if cs := simplestreams.Candidates(list); len(cs) != 2 || !cs[1].Floor || cs[1].Platforms[0] != "trusty-amd64" {
		t.Fatalf("candidates %+v", cs)
	}
	now := time.Date(2015, 9, 15, 0, 0, 0, 0, time.UTC)
	made, entry := simplestreams.Make("released", list, now)
	text, err := simplestreams.Encode(made)
	if err != nil {
		t.Fatal(err)
	}
	again, faults := simplestreams.ParseProducts(text, "released")
	if faults != nil || len(again) != 2 || again[0] != list[0] || again[1] != list[1] {
		t.Fatalf("read back %+v, %v", again, faults)
	}
	ix := simplestreams.NewIndex()
	ix.Index[simplestreams.ContentID("released")] = entry
	if text, err = simplestreams.Encode(ix); err != nil {
		t.Fatal(err)
	}
	back, err := simplestreams.ParseIndex(text)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := back.Stream("released"); err != nil || e.Path != simplestreams.ProductsPath("released") || entry.Products[0] != "com.ubuntu.juju:14.04:amd64" {
		t.Fatalf("the index points to %q, %v", e.Path, err)
	}
}

func TestBadEntriesAreNamedAndTheRestIsRead(t *testing.T) {
	for item, want := range map[string]string{
		`{"version":"1.25.1","path":"x.tgz","sha256":"SHA"}`:                            "size is 0",
		`{"version":"1.25.1","size":5,"path":"x.tgz"}`:                                  "sha256",
		`{"version":"1.25.1","size":5,"path":"../x.tgz","sha256":"SHA"}`:                "not below",
		`{"version":"1.25.1","size":5,"path":"/x.tgz","sha256":"SHA"}`:                  "not below",
		`{"version":"1.25.1","size":5,"path":"a/../../x.tgz","sha256":"SHA"}`:           "not below",
		`{"version":"1.25","size":5,"path":"x.tgz","sha256":"SHA"}`:                     "binary version",
		`{"version":"1.25.1","ftype":"zip","size":5,"path":"x.tgz","sha256":"SHA"}`:     "not tar.gz",
		`{"version":"1.25.0","size":6,"path":"x.tgz","sha256":"SHA"}`:                   "(6 bytes) and as",
		`{"version":"1.25.1","size":9000000000000000000,"path":"x.tgz","sha256":"SHA"}`: "must be 1 to",
		`{"version":"1.25.1","release":"../..","size":5,"path":"x.tgz","sha256":"SHA"}`: "binary version",
	} {
		list, faults := simplestreams.ParseProducts(products(item), "released")
		err := errors.Join(faults...)
		if len(faults) != 1 || !errors.Is(err, simplestreams.ErrMetadata) || !strings.Contains(err.Error(), want) || len(list) != 1 {
			t.Errorf("%s: read %+v, %v; want %q", item, list, err, want)
		}
	}
	if _, faults := simplestreams.ParseProducts(products(`{}`), "devel"); len(faults) != 1 {
		t.Errorf("another stream's file was read: %v", faults)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(products(`{"version":"1.25.1","size":6,"path":"x.tgz","sha256":"SHA"}`))
	f.Add([]byte(`{"format":"index:1.0","index":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _ := simplestreams.ParseProducts(b, "released")
		for _, x := range list {
			if err := x.Validate(); err != nil || strings.HasPrefix(x.Path, "/") || strings.Contains("/"+x.Path+"/", "/../") {
				t.Fatalf("read %+v, %v", x, err)
			}
		}
		if ix, err := simplestreams.ParseIndex(b); err == nil {
			_, _ = ix.Stream("released")
		}
	})
}
