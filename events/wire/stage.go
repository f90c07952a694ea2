package wire

import "github.com/jujube-project/jujube/events"

// StagePiece is what TrustStage is about: a part of a bundle of signed metadata that an operator
// is going to have published. The state server keeps it in memory: after a restart the
// operator sends all pieces again.
type StagePiece struct {
	Bundle    events.Object `json:"bundle"`
	Offset    int64         `json:"offset"`    // of Data in the bundle, in bytes
	Data      []byte        `json:"data"`      // at most StageBytes
	Key       string        `json:"key"`       // public key of an operator who may publish
	Signature []byte        `json:"signature"` // his, over StageStatement
}

// Staged is the answer to TrustStage.
type Staged struct {
	Next int64 `json:"next"` // offset of the next piece; the size of the bundle: nothing is missing
}

// StageBytes is the largest piece.
const StageBytes = 256 << 10

// StageType stands in what is signed, so that the signature can be used for nothing else.
const StageType = "jujube.stage.v1"

// StageStatement is what an operator signs to stage a bundle.
func StageStatement(environment, sha256 string) []byte {
	return events.PAE(StageType, []byte(environment+" "+sha256))
}
