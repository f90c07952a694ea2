package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// topic is a text of `juju help TOPIC`.
type topic struct{ name, short, text string }

var topics = []topic{
	{"basics", "the words that everything is explained with", `An environment is a set of machines under one state server. Each machine runs an agent,
jujud, and for each unit of a service placed on it a unit agent, in the same process. The
tools are archives of jujud, one for each version, series and architecture; the state
server keeps them in its store. The environment has an agent version: what its agents
are to run. To upgrade is to move all agents to another one.

Everything that happens is an event in the environment's log. juju status shows what the
log adds up to; juju audit shows the log itself.`},
	{"upgrading", "how an upgrade goes, and what stops it", `juju upgrade-juju chooses a version, shows what it will do and why, and asks the state
server. The state server refuses, with every reason at once, or accepts. Then the state
servers are upgraded first, one at a time, and after them the other machines, at most
upgrade-max-in-flight at once. Each machine downloads the tools, checks size and digest,
lays them beside the old version, lets the new one test itself, switches, and restarts
its agent. Workloads are not touched. A new agent must be connected, heard and steady
for upgrade-health-window; then it is kept. If it is not, the machine goes back to the
version before, by itself, and the upgrade halts: no further machine is ordered.

juju status shows target, progress, what waits and why, and the last error. After a halt,
find the cause, then run upgrade-juju again with --reset-previous-upgrade.`},
	{"selection", "which version is chosen when none is given", `As in the Juju 1.25 manual. If client and environment have the same major version, the
newest patch of the next minor version is chosen; if that minor version is not there, the
newest patch of the current one. If the majors differ, it is the client's version. With
1.23, 1.24, 1.25, 1.25.1, 2.1 and 2.2 available:

  client 1.24, server 1.22  ->  upgrade to 1.23
  client 2.1,  server 1.22  ->  upgrade to 2.1
  client 1.24, server 1.25  ->  upgrade to 1.25.1

"Newest patch" is meant where the manual says "next". A minor version that is missing is
never skipped. --policy and the setting upgrade-policy change this: step is the above,
newest takes the newest release of the major version, patch stays within the minor.

An environment that runs a release never moves to a tagged version (1.26-beta1) by itself.
One that runs a tagged version follows its line: newer tagged versions of that minor, in
the order of their tags (alpha, beta, rc), and then the release.

A version counts only if it has tools for every series and architecture in use. What a
publisher revoked is never chosen; what must be passed through is; what leads nowhere is
chosen only when it is asked for. juju upgrade-path shows the way and every reason.`},
	{"air-gap", "environments without internet", `Where there is internet, and no environment is needed, write a signed tree of what is to
be carried over, and say what signed it:

  juju sync-tools --local-dir /media/stick --version 1.25
  juju metadata key

Carry it over. On the other side let the environment believe that publisher, once, and copy
the tree into its store, which signs it with the environment's own key (juju help trust). A
site without internet lets its own metadata hold for longer:

  juju set-env trust-expiry=720h
  juju trust publishers --add-signer ANCHOR
  juju sync-tools --source /media/stick --all
  juju sync-tools --verify
  juju upgrade-juju

The other way round, where the client has internet and the state server has not, nothing
is carried: juju sync-tools downloads and hands over. Archives that were built or collected
by hand become a tree with juju metadata generate-tools -d DIR. Nothing else is fetched
from anywhere; juju trust publishers --source none also stops the state server from trying.`},
	{"audit", "who did what, when and why", `juju audit log lists the events of the log; juju audit replay --at SEQ or TIME shows the
status as it stood then; juju audit verify replays everything and compares it with what
the state server says. Requests lie in the log with the operator's signature.`},
	{"environments", "several environments, and where their keys are", `juju keeps what it knows in $JUJU_DATA (default ~/.local/share/juju): environments/ and
credentials/, readable by you only. The environment of a command is -e NAME, else
$JUJU_ENV, else the current one (juju switch). To make or to destroy one, name it.

environments/NAME.yaml says where an environment is, and which of its machines this
client started on this host; credentials/NAME.creds is your key to it. Whoever has a copy
of both can use the environment as you. trust/NAME/keys holds the keys with which you sign
what its machines run (juju help trust), vendor/keys those of trees of tools. A file of
keys or credentials that others can read is not used.`},
	{"machines", "how hosts become machines, here and elsewhere", `juju add-machine makes a place and prints a one-time token, and the one command that a
host needs to take the place with it. The token is a secret until it was used: it is read
from the standard input, or from a file (--save-tokens writes such files), and never from
the command line, where everybody on the host could see it.

  jujud machine --data-dir /var/lib/juju --join-file -
  jujud machine --data-dir /var/lib/juju --join-file /media/stick/machine-3.join

The token works once. After that the host has a key of its own, and the same command
without --join-file, or the systemd unit in docs/systemd, starts it again. With --local the
machine runs on this host, in the background, until destroy-environment or
remove-machine; after a reboot, start it with jujud machine --data-dir DIR.

juju deploy NAME --to MACHINE -- COMMAND runs a workload there, as a unit, under a user of
its own. Units go on undisturbed when agents are restarted or upgraded.`},
	{"exit-codes", "what scripts can rely on", `0: done, also when there was nothing to do. 1: an error; nothing was changed unless the
message says otherwise. 2: the command line itself was wrong; nothing was asked.

Results are on stdout; everything that is said to a person is on stderr, and --quiet
leaves out all of it but errors, questions and what is signed. An error says what happened, what was not
changed, and, after "Next:", what to type.`},
}

// helpCommand is `juju help [COMMAND | TOPIC | topics]`.
func helpCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | TOPIC | topics]", Short: "Explain a command or a topic",
		Long:              "Explain a command, a topic, or, with \"topics\", list the topics.",
		Example:           "  juju help upgrade-juju\n  juju help topics\n  juju help air-gap",
		ValidArgsFunction: completeTopic,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Root().Help()
			}
			if args[0] == "topics" {
				for _, t := range topics {
					fmt.Fprintf(a.Stdout, "%-14s %s\n", t.name, t.short)
				}
				return nil
			}
			return explainName(a, cmd.Root(), args)
		},
	}
}

// explainName shows the help of a command, the text of a topic, or one after the other
// when both have the name.
func explainName(a *app.App, root *cobra.Command, args []string) error {
	name := strings.Join(args, " ")
	i := slices.IndexFunc(topics, func(t topic) bool { return t.name == name })
	found, rest, err := root.Find(args)
	isCommand := err == nil && found != root && len(rest) == 0
	if !isCommand && i < 0 {
		return app.Usage("there is neither a command nor a topic %q; juju help lists the commands, juju help topics the topics", name)
	}
	if isCommand {
		if err := found.Help(); err != nil || i < 0 {
			return err
		}
		fmt.Fprintln(a.Stdout, "\nMore about it:")
	}
	_, err = fmt.Fprintln(a.Stdout, topics[i].text)
	return err
}

// completeTopic offers commands and topics to the shell.
func completeTopic(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := []cobra.Completion{"topics"}
	for _, t := range topics {
		names = append(names, cobra.CompletionWithDesc(t.name, t.short))
	}
	for _, c := range cmd.Root().Commands() {
		if !c.Hidden {
			names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
