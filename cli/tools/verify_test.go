package tools_test

import (
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// An archive of the store has the digest that the catalogue has for it, and is another version all the
// same: --verify names it.
func TestVerifyNamesAnArchiveOfAnotherVersion(t *testing.T) {
	v, err := version.ParseBinary("1.25.2-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	stored := tools.Tools{Version: v, Size: 7, SHA256: strings.Repeat("ab", 32)}
	c := servers.NewClient(t)
	c.Answer(
		servers.Always(wire.Environment, wire.EnvironmentInfo{}),
		servers.Always(wire.Tools, wire.Catalogue{Stored: []tools.Tools{stored}}),
		servers.Always(wire.ToolsObjects, []wire.Object{{SHA256: stored.SHA256, Size: stored.Size}}),
		servers.Always(wire.ToolsHash, wire.Hashed{SHA256: stored.SHA256, Size: stored.Size, Fault: "it was built as 1.25.1"}),
	)
	code, said := c.Juju("sync-tools --verify", "", nil)
	c.MustSay(code, clitest.Failed, said, "1 faults in the store of tools")
}
