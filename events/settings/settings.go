package settings

import (
	"slices"
	"time"
)

// Setting is one key that set-env takes.
type Setting struct {
	Key     string
	Default string // the value when nobody set one
	Help    string
	check   func(value string) error
}

// PublicSource is where tools come from when no source is named. Source: Juju 1.25.
const PublicSource = "https://streams.canonical.com/juju/tools"

// NoSource is the value of tools-source that turns it off.
const NoSource = "none"

// Values of enrol-policy.
const (
	EnrolAuto    = "auto"    // a machine that has a join token is enrolled at once
	EnrolApprove = "approve" // a machine that has a join token waits for juju approve-machine
)

// How long the credentials of a machine hold.
const (
	CredentialsLife    = 7 * 24 * time.Hour  // unless agent-credentials-life says otherwise
	MaxCredentialsLife = 30 * 24 * time.Hour // at most: credentials that were revoked longer ago have expired
)

// All are the settings that an environment has, in the order in which help shows them. The
// agent-version, which only an upgrade changes, is not one of them.
var All = []Setting{
	{"agent-metadata-url", "", "directory or URL of a simplestreams tree that is searched for tools first", checkSource},
	{"agent-stream", "released", "stream of tools: released, proposed, devel or testing", oneOf("released", "proposed", "devel", "testing")},
	{"agent-download-rate", "0", "bytes a second that a machine may take to download tools; 0: as fast as it can", number(0, 1<<40)},
	{"agent-lost-after", "30s", "how long an agent may be silent before status shows it as down", duration(time.Second, 24*time.Hour)},
	{
		"agent-credentials-life", CredentialsLife.String(), "how long a machine's credentials hold; they are renewed after half of it",
		duration(10*time.Second, MaxCredentialsLife),
	},
	{"enrol-policy", EnrolAuto, "auto: who has a join token is a machine; approve: he waits for juju approve-machine", oneOf(EnrolAuto, EnrolApprove)},
	{"tools-source", PublicSource, "signed: directories or URLs of simplestreams trees that are searched for tools next; none turns it off", orNone(checkSource)},
	{"tools-signers", "", "signed: publishers of trees of tools that are believed, by the sha256 of their first root", eachWord(checkSigner)},
	{"tools-unsigned", "", "signed: sources of tools that may be unsigned, each by the name that it is given elsewhere", eachWord(checkSource)},
	{
		"trust-expiry", "24h", "how long the state server's word holds that nothing newer was published; an air-gapped site takes 720h to 2160h",
		duration(time.Minute, 90*24*time.Hour),
	},
	{"upgrade-policy", "step", "how a version is chosen: step, newest or patch", oneOf("step", "newest", "patch")},
	{"upgrade-max-in-flight", "10", "how many machines are upgraded at a time, 1 to 1000", number(1, 1000)},
	{"upgrade-health-window", "10s", "how long a new version must prove itself before it is kept", duration(0, time.Hour)},
	{"upgrade-order-timeout", "1h", "how long a machine may take before its upgrade counts as failed", duration(time.Second, 30*24*time.Hour)},
}

// signed are the keys whose values release managers sign, with the flags of juju trust publishers that
// change them. They were settings before, and get-env still shows them.
var signed = map[string]string{"tools-source": "--source", "tools-signers": "--add-signer", "tools-unsigned": "--unsigned"}

// Signed is the flag of juju trust publishers that changes the value. It is empty if set-env does.
func (s Setting) Signed() string { return signed[s.Key] }

// Of is the setting with that key, and whether there is one.
func Of(key string) (Setting, bool) {
	i := slices.IndexFunc(All, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return All[i], true
}

// Check says why the setting may not have that value; nil if it may.
func (s Setting) Check(value string) error { return s.check(value) }
