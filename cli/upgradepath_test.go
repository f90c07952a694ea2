package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

func TestUpgradePathExitCodes(t *testing.T) {
	const what = "upgrade-path --agent-version 1.22 --client-version 1.24 "
	for line, want := range map[string]int{
		what + "--available 1.23":                               exitOK,
		what + "--available 1.22":                               exitOK,
		what + "--available 1.22 --format table":                exitOK,
		what + "--available 1.23,1.23,1.23.0":                   exitOK,
		what + "--available 1.23 --to 1.22":                     exitOK,
		what + "--available 1.23 --to 1.25":                     exitError,
		what + "--available 1.23 --to 1.21":                     exitError,
		what + "--available 2.0 --to 2.0":                       exitError,
		what + "--source nowhere":                               exitError,
		"upgrade-path --available 1.23":                         exitError, // there is no environment
		what + "--available=":                                   exitUsage,
		what + "--available 1.23,banana":                        exitUsage,
		what + "--available 1":                                  exitUsage,
		what + "--available 1.23 --policy boldly":               exitUsage,
		what + "--available 1.23 --policy=":                     exitUsage,
		what + "--available 1.23 --to banana":                   exitUsage,
		what + "--available 1.23 --to=":                         exitUsage,
		what + "--available 1.23 --format xml":                  exitUsage,
		what + "--available 1.23 --source nowhere":              exitUsage,
		what + "--available 1.23 --stream devel":                exitUsage,
		what + "--source=":                                      exitUsage,
		"upgrade-path --available 1.23 --agent-version x":       exitUsage,
		"upgrade-path --available 1.23 --client-version 1.2.3x": exitUsage,
		"upgrade-juju --policy boldly":                          exitUsage,
		"upgrade-juju --policy=":                                exitUsage,
		"upgrade-juju --version=":                               exitUsage,
		"sync-tools --version=":                                 exitUsage,
		"sync-tools --source=":                                  exitUsage,
		"sync-tools --stream=":                                  exitUsage,
		"sync-tools --local-dir=":                               exitUsage,
		"sync-tools --version 01.25":                            exitUsage,
	} {
		code, _, errs := run(t, t.TempDir(), line)
		if code != want || (code == exitOK) != (errs == "") {
			t.Errorf("%s: exit %d, want %d: %s", line, code, want, errs)
		}
	}
}

func TestHelpOfUpgradePathListsEveryWord(t *testing.T) {
	_, out, _ := run(t, t.TempDir(), "help upgrade-path")
	for _, w := range slices.Concat(version.Reasons, version.Codes) {
		if !strings.Contains(out, "\n  "+w.Word+" ") || !strings.Contains(out, w.Meaning) {
			t.Errorf("help does not list %s", w.Word)
		}
	}
}

// Each machine downloads the archive of its own platform, not those of all.
func TestTheSizeOfADownloadIsThatOfOneArchive(t *testing.T) {
	var said bytes.Buffer
	s := &session{app: &juju{&app.App{Stderr: &said}}}
	q := version.Question{Platforms: map[string][]string{"trusty-amd64": {"machine-0"}, "trusty-arm64": {"machine-1", "machine-2"}}}
	s.explainChoice(q, version.Answer{}, &events.AskUpgrade{Artefacts: []tools.Tools{{Size: 5 << 20}, {Size: 7 << 20}}})
	if want := "3 machines will be upgraded, state servers first; each downloads up to 7.0 MiB\n"; !strings.Contains(said.String(), want) {
		t.Fatalf("it says\n%s, want %s", said.String(), want)
	}
}
