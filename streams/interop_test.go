package streams_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/streams"
)

// A tree as Juju 1.25's own tooling lays it out: the legacy index beside the new one, two
// streams, releases/ for released, values that stand above the items, clouds, a series
// that nobody knows, and OpenPGP files that are nothing to us.
func jujuTree(t *testing.T) (dir, archive string) {
	t.Helper()
	dir = t.TempDir()
	archive = put(t, dir, "tools/releases", "1.25.1-trusty-amd64", "jujud")
	d, err := streams.Describe(archive)
	if err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(dir, "tools", "streams", "v1")
	entry := func(stream string) string {
		return fmt.Sprintf(`"com.ubuntu.juju:%s:tools": {"updated": "Tue, 15 Sep 2015 12:00:00 +0000", "format": "products:1.0",
			"datatype": "content-download", "path": "streams/v1/com.ubuntu.juju-%s-tools.json", "products": ["com.ubuntu.juju:14.04:amd64"],
			"cloudname": "aws", "clouds": [{"region": "us-east-1", "endpoint": "https://ec2.us-east-1.amazonaws.com"}]}`, stream, stream)
	}
	write(t, filepath.Join(meta, "index2.json"), fmt.Appendf(nil, `
		{"format": "index:1.0", "updated": "Tue, 15 Sep 2015 12:00:00 +0000", "index": {%s, %s}}`,
		entry("released"), entry("devel")))
	write(t, filepath.Join(meta, "index.json"), fmt.Appendf(nil, `{"format": "index:1.0", "updated": "Tue, 15 Sep 2015 12:00:00 +0000", "index": {%s}}`,
		entry("released")))
	write(t, filepath.Join(meta, "index2.sjson"), []byte("-----BEGIN PGP SIGNED MESSAGE-----\n"))
	write(t, filepath.Join(meta, "com.ubuntu.juju-released-tools.json"), fmt.Appendf(nil, `{
		"format": "products:1.0", "content_id": "com.ubuntu.juju:released:tools",
		"updated": "Tue, 15 Sep 2015 12:00:00 +0000", "products": {
		"com.ubuntu.juju:14.04:amd64": {"arch": "amd64", "version": "14.04", "ftype": "tar.gz", "versions": {"20150915": {"items": {
			"1.25.1-trusty-amd64": {"release": "trusty", "version": "1.25.1", "size": %d,
				"path": "releases/juju-1.25.1-trusty-amd64.tgz", "sha256": %q, "fullpath": "x"},
			"1.25.1-sid-amd64": {"release": "sid", "version": "1.25.1", "size": %d,
				"path": "releases/juju-1.25.1-sid-amd64.tgz", "sha256": %q}}}}}}}`, d.Size, d.SHA256, d.Size, d.SHA256))
	return dir, archive
}

func TestATreeOfJujuIsRead(t *testing.T) {
	dir, archive := jujuTree(t)
	want, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, http.FileServer(http.Dir(dir)))
	for _, base := range []string{dir, url, url + "/tools"} {
		named := trust(t)
		named.Unsigned = []string{base}
		src, err := streams.Open(base, named)
		if err != nil {
			t.Fatal(err)
		}
		l, err := src.List(t.Context(), "released")
		if err != nil || len(l.Found) != 2 || l.Found[1].Version.String() != "1.25.1-trusty-amd64" {
			t.Fatalf("%s lists %+v, %v", base, l, err)
		}
		if got, err := fetch(t.Context(), src, l.Found[1], 0); err != nil || string(got) != string(want) {
			t.Errorf("%s: fetched %d bytes, %v", base, len(got), err)
		}
	}
}

// simple reads a tree as the simplestreams format says, by generic JSON, and knows
// nothing of Juju or of us: index, then products, then items with what they inherit.
func simple(t *testing.T, tools string) (paths []string) {
	t.Helper()
	parse := func(path string) (m map[string]any) {
		b, err := os.ReadFile(filepath.Join(tools, path))
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	object := func(m map[string]any, key string) map[string]any { o, _ := m[key].(map[string]any); return o }
	for _, e := range object(parse("streams/v1/index2.json"), "index") {
		entry := e.(map[string]any)
		if entry["datatype"] != "content-download" || entry["format"] != "products:1.0" {
			continue
		}
		for _, p := range object(parse(entry["path"].(string)), "products") {
			for _, v := range object(p.(map[string]any), "versions") {
				for _, i := range object(v.(map[string]any), "items") {
					item := maps.Clone(i.(map[string]any))
					paths = append(paths, fmt.Sprintf("%s %s %v", item["path"], item["sha256"], item["size"]))
				}
			}
		}
	}
	slices.Sort(paths)
	return paths
}

func TestOurTreeIsReadByAPlainReader(t *testing.T) {
	dir := tree(t)
	var want []string
	for _, f := range generate(t, dir, false, now).Found {
		want = append(want, fmt.Sprintf("%s %s %d", f.Path, f.SHA256, f.Size))
	}
	if got := simple(t, filepath.Join(dir, "tools")); !slices.Equal(got, want) {
		t.Fatalf("a plain reader finds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The proxy variables are read once in a process, so another one looks through the proxy.
func TestProxyVariablesAreHonoured(t *testing.T) {
	if url := os.Getenv("TEST_THROUGH_PROXY"); url != "" {
		src, err := streams.Open(url, streams.Trust{Unsigned: []string{url}})
		if err != nil {
			t.Fatal(err)
		}
		l, err := src.List(t.Context(), "released")
		if err != nil || len(l.Found) != 2 {
			t.Fatalf("listed %+v, %v", l, err)
		}
		return
	}
	dir, _ := jujuTree(t)
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Host)
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxyVariablesAreHonoured$")
	cmd.Env = append(os.Environ(), "http_proxy="+proxy.URL, "HTTP_PROXY="+proxy.URL, "no_proxy=", "NO_PROXY=", "TEST_THROUGH_PROXY=http://tools.invalid")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(asked) == 0 || asked[0] != "tools.invalid" {
		t.Fatalf("the proxy was asked for %q", asked)
	}
}
