package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// witnessing are the commands that ask the state server or read the log, with arguments. Each of
// them compares the log with what this client has seen of it.
var witnessing = []string{
	"add-machine", "add-unit web --to 2", "approve-machine 3", "approve 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11",
	"audit checkpoint", "audit log", "audit replay", "audit verify",
	"container invite --tokens TEMP -n 3",
	"deploy web --to 1 -- /bin/true", "get-env",
	"remove-machine 3 --yes", "remove-service web", "remove-unit web/0", "resolved 3", "restart-agent machine-1",
	"set-env upgrade-max-in-flight=5", "status", "sync-tools --verify",
	"trust add-key root KEY", "trust export TEMP/draft", "trust floor 1.25.2", "trust log-key", "trust publishers", "trust quorum 2",
	"trust remove-key targets KEY", "trust revoke artefact KEY", "trust rotate targets", "trust sign", "trust status",
	"unset-env upgrade-max-in-flight", "upgrade-juju --dry-run", "upgrade-path",
	"user add bob UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4 read", "user grant ann operate", "user list", "user remove ann",
}

// alone are the commands that ask nobody of the environment.
var alone = []string{
	"bootstrap", "completion bash", "completion fish", "completion powershell", "completion zsh", "container bootstrap",
	"demo", "demo-workload", "destroy-environment", "environments", "http-token", "metadata generate-tools", "metadata key", "metadata validate-tools",
	"switch", "trust init", "user key", "version",
	"user accept", // it takes a line first: script user of cli/trust
}

// pathOf is a command line without its arguments: as long as it names commands.
func pathOf(line string) string {
	words := strings.Fields(line)
	if len(words) > 1 && slices.Contains([]string{"audit", "completion", "container", "metadata", "trust", "user"}, words[0]) {
		return strings.Join(words[:2], " ")
	}
	return words[0]
}

// Whoever writes a command says whether it asks for anything of the environment.
func TestB15EveryCommandIsListed(t *testing.T) {
	var listed []string
	for _, line := range slices.Concat(witnessing, alone) {
		listed = append(listed, pathOf(line))
	}
	for _, path := range cli.CommandPaths() {
		if n := len(slices.DeleteFunc(slices.Clone(listed), func(l string) bool { return l != path })); n != 1 {
			t.Errorf("juju %s stands %d times in the lists of this test, not once", path, n)
		}
	}
	if len(listed) != len(cli.CommandPaths()) {
		t.Errorf("%d commands are listed, there are %d", len(listed), len(cli.CommandPaths()))
	}
}

// A state server was put back to an old copy of its disk, or shows an old copy of the log: its
// checkpoint is genuine, and older than what this client has seen. No command takes that for well.
func TestB15EveryCommandSaysThatTheLogWentBack(t *testing.T) {
	c := servers.NewClient(t)
	log := c.SignLog()
	log.Pin()
	seen := c.SeenOf(log, &events.SettingChanged{Key: "k", Value: "after"}, &events.SettingChanged{Key: "k", Value: "later"})
	c.Answer(log.Proof(), wire.Digest.AnsweredBy(func(context.Context, wire.Nothing) (wire.Position, error) { return wire.Position{}, nil }))
	key := strings.Repeat("ab", 32)
	for _, line := range witnessing {
		line = strings.NewReplacer("TEMP", t.TempDir(), "KEY", key).Replace(line)
		code, said := c.Juju(line, "", nil)
		if code != clitest.Failed {
			t.Errorf("juju %s ends with %d, and says\n%s", line, code, said)
		}
		want := []string{"log-fork", string(seen.Note)}
		if strings.HasPrefix(line, "audit verify") {
			want = []string{"findings"}
		}
		for _, text := range want {
			if !strings.Contains(said, text) {
				t.Errorf("juju %s does not say %q:\n%s", line, text, said)
			}
		}
	}
	kept, err := os.ReadFile(filepath.Join(c.Data, "checkpoints", "prod"))
	if err != nil || string(kept) != string(seen.Note) {
		t.Errorf("the client remembers %q, %v", kept, err)
	}
}
