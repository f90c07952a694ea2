package upgrade

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Each machine downloads the archive of its own platform, not those of all.
func TestTheSizeOfADownloadIsThatOfOneArchive(t *testing.T) {
	var said bytes.Buffer
	u := &upgrade{app: &app.App{Stderr: &said}}
	q := version.Question{Platforms: map[string][]string{"trusty-amd64": {"machine-0"}, "trusty-arm64": {"machine-1", "machine-2"}}}
	u.explainChoice(q, version.Answer{}, &events.AskUpgrade{Artefacts: []tools.Tools{{Size: 5 << 20}, {Size: 7 << 20}}})
	if want := "3 machines will be upgraded, state servers first; each downloads up to 7.0 MiB\n"; !strings.Contains(said.String(), want) {
		t.Fatalf("it says\n%s, want %s", said.String(), want)
	}
}
