package settings

import (
	"maps"
	"slices"
)

// belief says why a setting changes what the environment believes, or how it comes to believe it. Where
// the roster has a quorum, one operator alone does not change these. What is not listed says how fast or
// how carefully things go on that were agreed to. Those that release managers sign (see Signed) hold in an
// environment of before, until they have signed them.
var belief = map[string]string{
	"tools-signers":      "whose word on tools is believed",
	"tools-unsigned":     "which sources are believed without a signature",
	"tools-source":       "where tools come from that are offered to be signed",
	"agent-metadata-url": "where tools come from that are offered to be signed",
	"agent-stream":       "which of a publisher's builds, released or in development, are offered to be signed",
	"enrol-policy":       "whether a token alone makes a host a machine",
	"trust-expiry":       "how long machines believe that nothing newer, such as a revocation, was published",
}

// Belief are the settings that change what is believed, sorted.
func Belief() []string { return slices.Sorted(maps.Keys(belief)) }

// ChangesBelief says why a setting changes what is believed; empty: it does not.
func ChangesBelief(key string) string { return belief[key] }
