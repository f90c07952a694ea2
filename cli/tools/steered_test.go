package tools_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// tree makes a tree of one version, signed by the client whose store is in data, and gives that
// publisher's anchor.
func tree(t *testing.T, data, dir, v string) (anchor string) {
	t.Helper()
	b, err := version.ParseBinary(v + "-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := archive.Pack(&packed, archive.File{Name: archive.Jujud, Size: int64(len(v)), Body: strings.NewReader(v)}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tools"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tools", tools.Tools{Version: b}.FileName()), packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := clitest.Run(t, data, "metadata generate-tools -d "+dir); code != clitest.OK {
		t.Fatal(errs)
	}
	_, anchor, _ = clitest.Run(t, data, "metadata key")
	return strings.TrimSpace(anchor)
}

// steered is a client of an environment whose state server tells of these settings. Its signed metadata
// names the publishers. It fails the test if a request is signed.
func steered(t *testing.T, data string, publishers *events.Publishers, told map[string]string) *servers.Client {
	t.Helper()
	c := servers.NewClientIn(t, data)
	c.Judge(func(ask events.Ask) { t.Errorf("%s was signed", ask.Action) })
	c.Answer(
		servers.Always(wire.Trust, wire.Raw(c.NewSite(publishers).Marshal())),
		servers.Always(wire.Environment, wire.EnvironmentInfo{
			AgentVersion: version.Number{Major: 1, Minor: 25}, Settings: told, Set: slices.Sorted(maps.Keys(told)),
		}),
		servers.Always(wire.Tools, wire.Catalogue{InUse: []wire.Platform{{Platform: "trusty-amd64", Machines: []string{"0"}}}}),
	)
	return c
}

// Case B01: whoever has the state server writes tools-source and tools-signers into the log. A plain
// sync-tools believes neither: it names both, and signs nothing of that publisher.
func TestB01SyncToolsIsNotSteered(t *testing.T) {
	data, mine, evil := t.TempDir(), t.TempDir(), t.TempDir()
	signer, stranger := tree(t, data, mine, "1.25.1"), tree(t, t.TempDir(), evil, "1.25.1")
	c := steered(t, data, &events.Publishers{Signers: []string{signer}, Sources: []string{mine}}, map[string]string{
		"tools-source": evil, "tools-signers": signer + " " + stranger, "agent-stream": "devel",
	})
	for _, line := range []string{"sync-tools", "sync-tools --yes --all", "sync-tools --local-dir " + t.TempDir()} {
		code, said := c.Juju(line, "", nil)
		c.MustSay(code, clitest.Failed, said, "tools-source="+evil, "tools-signers="+stranger, "agent-stream=devel",
			"which no release manager has signed", "juju trust publishers", "Nothing was copied")
	}
	// What is typed says where to look, and not whom to believe.
	for _, line := range []string{"sync-tools --source ", "upgrade-path --source "} {
		code, said := c.Juju(line+evil, "", nil)
		c.MustSay(code, clitest.Failed, said, "its signer is not trusted", "juju trust publishers --add-signer")
	}
	code, said := c.Juju("sync-tools --dry-run --source "+mine, "", nil)
	c.MustSay(code, clitest.OK, said, "WARNING the state server tells of the setting tools-source="+evil, "it is not believed")
}

// A plain sync-tools reads the source that was signed when the environment was made.
func TestSyncToolsReadsTheSignedSource(t *testing.T) {
	data, mine := t.TempDir(), t.TempDir()
	signer := tree(t, data, mine, "1.25.1")
	c := steered(t, data, &events.Publishers{Signers: []string{signer}, Sources: []string{mine}}, map[string]string{"tools-source": mine, "tools-signers": signer})
	code, said := c.Juju("sync-tools --dry-run", "", nil)
	c.MustSay(code, clitest.OK, said, "1.25.1: 1.26 is not published")
}

// An environment that began before publishers were signed: the client believes itself, and settings
// that somebody made there are named until they are signed.
func TestB01AnEnvironmentOfBefore(t *testing.T) {
	data, mine := t.TempDir(), t.TempDir()
	signer := tree(t, data, mine, "1.25.1")
	c := steered(t, data, nil, map[string]string{"tools-source": mine, "tools-signers": signer})
	code, said := c.Juju("sync-tools --dry-run", "", nil)
	c.MustSay(code, clitest.Failed, said, "tools-source="+mine)
	if strings.Contains(said, "tools-signers=") {
		t.Errorf("it does not know its own trees:\n%s", said)
	}
	code, said = c.Juju("sync-tools --dry-run --source "+mine, "", nil)
	c.MustSay(code, clitest.OK, said, "1.25.1: 1.26 is not published")
}
