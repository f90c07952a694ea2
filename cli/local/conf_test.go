package local

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jujube-project/jujube/agent"
)

// What jujud writes, the client reads.
func TestConfIsJujuds(t *testing.T) {
	dir := t.TempDir()
	urls := []string{"tls://a:1", "tls://b:2"}
	if err := (agent.Conf{Tag: "machine-7", DataDir: dir, Environment: "u", APIAddresses: urls}).Save(); err != nil {
		t.Fatal(err)
	}
	c, err := readConf(dir)
	if err != nil || c.Tag != "machine-7" || c.Environment != "u" || !slices.Equal(c.Addresses, urls) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNoConf(t *testing.T) {
	if _, err := readConf(t.TempDir()); !errors.Is(err, errNoConf) {
		t.Error(err)
	}
}

func FuzzConf(f *testing.F) {
	f.Add([]byte("tag: machine-0\nenvironment: u\napiaddresses: [tls://a:1]\n"))
	dir := filepath.Join(f.TempDir(), "agents", "machine-0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "agent.conf"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := readConf(filepath.Dir(filepath.Dir(dir))); err == nil && (c.Tag != "machine-0" || c.Environment == "") {
			t.Errorf("%q is read as %+v", b, c)
		}
	})
}
