package events

// Codes of enrolments and renewals that more than one package uses.
const (
	CodeTokenMalformed = "token-malformed"
	CodeTokenProof     = "token-proof"
	CodePossession     = "pop"
	CodeRenewMalformed = "renew-malformed"
	CodeOtherRoot      = "other-root"
	CodeClone          = "clone"
	CodeUnavailable    = "unavailable"
)

var enrolCodes = []Code{
	{CodeTokenMalformed, "The join token, or the enrolment, cannot be read.", "Copy the token whole from `juju add-machine`, or ask for a new one."},
	{
		CodeTokenProof, "Who enrols does not have the secret of the token that it names.",
		"Look who knows the name of the token; the host that has it is not affected.",
	},
	{"token-environment", "The token, or the machine, is of another environment.", "Ask that environment for a token."},
	{"token-unknown", "Nobody was invited as that machine, or it was removed.", "`juju add-machine` gives a new token."},
	{"token-wrong", "The token is not the one of that invitation.", "`juju add-machine` gives a new token."},
	{"token-used", "The token was used already.", "`juju add-machine` gives a new token. If no host of yours used it, somebody else did: `juju remove-machine`."},
	{"token-expired", "The token is too old.", "`juju add-machine` gives a new token."},
	{CodePossession, "Who asks does not have the key under which it wants to be known.", "Enrol again on the host itself; else somebody uses the key of another."},
	{
		CodeOtherRoot, "The environment's trust begins at another root than the token pins.",
		"Somebody answers in the environment's place: look at the addresses in the token.",
	},
	{CodeRenewMalformed, "A renewal of credentials cannot be read.", "See that the machine's `jujud` is of a version that this environment knows."},
	{"not-a-machine", "The key is no machine's: it was removed, or enrolled anew.", "Enrol the host again if it shall be one."},
	{"pending", "The machine waits for approval.", "`juju approve-machine MACHINE`, if it is one of yours."},
	{"too-early", "Credentials were renewed or revoked a moment ago.", "Nothing; the machine asks again by itself."},
	{CodeClone, "Two hosts have the key of one machine; both are shut out.", "Stop one of them, then `juju approve-machine MACHINE`: the other goes on."},
	{
		CodeUnavailable, "The state server cannot answer now; or, for a machine, an archive could not be fetched in twenty tries.",
		"Nothing at first: it is tried again. If it stays, look at the state server's log and disk.",
	},
}
