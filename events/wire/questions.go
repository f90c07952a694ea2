package wire

import "github.com/jujube-project/jujube/events"

// Every question that a client may ask. The comment says what the answer is.
var (
	Status      = Question[Nothing, Raw]{"status"}                  // of the environment, in JSON: projections/status makes and reads it
	Digest      = Question[Nothing, Position]{"digest"}             // of the state that is served
	Environment = Question[Nothing, EnvironmentInfo]{"environment"} // its versions and settings
	Version     = Question[Nothing, Running]{"version"}             // of the state server
	LogProof    = Question[Seen, Proof]{"log-proof"}                // that the log goes on from what the client has seen
	LogLeaves   = Question[Nothing, Leaves]{"log-leaves"}           // the hash of every record that is signed, if they are few; clients of before ask it

	LogLeavesFrom = Question[Seen, Leaves]{"log-leaves-from"} // the hashes of the next records that are signed, behind those that the client has

	Resolve      = Question[events.Ask, Resolution]{"resolve"}         // what the client signs beside what was typed
	UpgradeCheck = Question[events.AskUpgrade, Check]{"upgrade-check"} // everything that forbids an upgrade
	Pending      = Question[Text, Waiting]{"pending"}                  // the request of that id that waits for approval; of no id: the upgrade that does

	Tools        = Question[Scope, Catalogue]{"tools"}          // what is stored, and what the sources have
	ToolsObjects = Question[Nothing, []Object]{"tools-objects"} // every whole object of the store
	ToolsHash    = Question[Text, Hashed]{"tools-hash"}         // what the object with a digest really is
	Trust        = Question[Nothing, Raw]{"trust"}              // the bundle of signed metadata that is published
	TrustStage   = Question[StagePiece, Staged]{"trust-stage"}  // takes a piece of a bundle that is to be published

	EnrolCredentials    = Question[Nothing, Credentials]{"enrol-credentials"} // with which a host asks to be enrolled
	OperatorCredentials = Question[Text, Text]{"operator-credentials"}        // the user JWT of the operator with a public key
)

// Questions are all of them. A state server answers each of them.
var Questions = []interface{ QuestionName() string }{
	Status, Digest, Environment, Version, LogProof, LogLeaves, LogLeavesFrom,
	Resolve, UpgradeCheck, Pending,
	Tools, ToolsObjects, ToolsHash, Trust, TrustStage,
	EnrolCredentials, OperatorCredentials,
}
