package events

var requestCodes = []Code{
	{"malformed", "The request does not say what it must, or cannot be recorded.", "Ask again with a client of this version; the text says what is missing."},
	{"unknown-action", "This state server does not know what is asked.", "It may be older than the client: upgrade the environment, or use an older client."},
	{"no-such-machine", "There is no enrolled machine of that name.", "`juju status` lists them."},
	{"no-such-unit", "There is no unit of that name.", "`juju status` lists them."},
	{"no-such-service", "No unit of that service runs.", "`juju status` lists them; `juju deploy` makes one."},
	{
		"no-such-user", "The machine cannot run the unit as that user: it does not have him, or its agent is not root.",
		"Make the user there (`useradd --system NAME`), then `juju remove-unit` and ask again; or name another with `--user`.",
	},
	{
		"sealed-for-other", "The values of the unit's environment were not sealed for this machine and this request.",
		"`juju remove-unit`, and ask again. If it stays: somebody told the client another key than the machine's; look at the state server.",
	},
	{
		"old-agent", "The machine's agent does not know users and sealed environments of units.",
		"Upgrade the machine first, then ask again. If it runs this version already: `juju restart-agent`, and it says so.",
	},
	{"service-exists", "There is a service of that name.", "`juju add-unit` adds to it; else choose another name."},
	{"too-many", "The request names more machines, tokens or agents than one may.", "Ask in several requests; docs/LIMITS.md has the limits."},
	{"too-often", "More messages at once than one machine, operator or token may send.", "Wait a moment; docs/LIMITS.md has the limits."},
	{
		"budget-spent", "The bytes that one machine or operator may send in a day are spent.",
		"Wait, or look what sends so much; docs/LIMITS.md has the limits.",
	},
	{"bad-value", "There is no such setting, or it does not take that value.", "`juju get-env` lists the settings."},
	{"in-use", "The machine has units or an open order, is a state server, or does not wait for approval.", "The text says which; remove the units, or wait."},
	{
		"unsigned", "The source of tools has no signature that this environment believes.",
		"Let a release manager sign that publisher (`juju trust publishers`), or say that it may be unsigned.",
	},
}
