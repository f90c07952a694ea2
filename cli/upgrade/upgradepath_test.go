package upgrade_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/events/version"
)

func TestUpgradePathExitCodes(t *testing.T) {
	const what = "upgrade-path --agent-version 1.22 --client-version 1.24 "
	for line, want := range map[string]int{
		what + "--available 1.23":                               clitest.OK,
		what + "--available 1.22":                               clitest.OK,
		what + "--available 1.22 --format table":                clitest.OK,
		what + "--available 1.23,1.23,1.23.0":                   clitest.OK,
		what + "--available 1.23 --to 1.22":                     clitest.OK,
		what + "--available 1.23 --to 1.25":                     clitest.Failed,
		what + "--available 1.23 --to 1.21":                     clitest.Failed,
		what + "--available 2.0 --to 2.0":                       clitest.Failed,
		what + "--source nowhere":                               clitest.Failed,
		"upgrade-path --available 1.23":                         clitest.Failed, // there is no environment
		what + "--available=":                                   clitest.Wrong,
		what + "--available 1.23,banana":                        clitest.Wrong,
		what + "--available 1":                                  clitest.Wrong,
		what + "--available 1.23 --policy boldly":               clitest.Wrong,
		what + "--available 1.23 --policy=":                     clitest.Wrong,
		what + "--available 1.23 --to banana":                   clitest.Wrong,
		what + "--available 1.23 --to=":                         clitest.Wrong,
		what + "--available 1.23 --format xml":                  clitest.Wrong,
		what + "--available 1.23 --source nowhere":              clitest.Wrong,
		what + "--available 1.23 --stream devel":                clitest.Wrong,
		what + "--source=":                                      clitest.Wrong,
		"upgrade-path --available 1.23 --agent-version x":       clitest.Wrong,
		"upgrade-path --available 1.23 --client-version 1.2.3x": clitest.Wrong,
		"upgrade-juju --policy boldly":                          clitest.Wrong,
		"upgrade-juju --policy=":                                clitest.Wrong,
		"upgrade-juju --version=":                               clitest.Wrong,
		"sync-tools --version=":                                 clitest.Wrong,
		"sync-tools --source=":                                  clitest.Wrong,
		"sync-tools --stream=":                                  clitest.Wrong,
		"sync-tools --local-dir=":                               clitest.Wrong,
		"sync-tools --version 01.25":                            clitest.Wrong,
	} {
		code, _, errs := clitest.Run(t, t.TempDir(), line)
		if code != want || (code == clitest.OK) != (errs == "") {
			t.Errorf("%s: exit %d, want %d: %s", line, code, want, errs)
		}
	}
}

func TestHelpOfUpgradePathListsEveryWord(t *testing.T) {
	_, out, _ := clitest.Run(t, t.TempDir(), "help upgrade-path")
	for _, w := range slices.Concat(version.Reasons, version.Codes) {
		if !strings.Contains(out, "\n  "+w.Word+" ") || !strings.Contains(out, w.Meaning) {
			t.Errorf("help does not list %s", w.Word)
		}
	}
}
