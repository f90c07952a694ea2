package wire

import "github.com/jujube-project/jujube/events"

// StagePiece is what TrustStage is about: a part of a bundle of metadata that an
// operator will ask to be published. It is kept in memory only.
type StagePiece struct {
	Bundle    events.Object `json:"bundle"`
	Offset    int64         `json:"offset"`
	Data      []byte        `json:"data"`
	Key       string        `json:"key"`       // of an operator who may publish
	Signature []byte        `json:"signature"` // over PAE(StageType, "ENVIRONMENT SHA256")
}

// Staged is the answer to TrustStage: the offset of the piece that comes next.
type Staged struct {
	Next int64 `json:"next"`
}

// StageBytes bounds the data of one piece.
const StageBytes = 256 << 10

// StageType separates that signature from every other use of the key.
const StageType = "jujube.stage.v1"

// StageStatement is what an operator signs to stage a bundle.
func StageStatement(environment, sha256 string) []byte {
	return events.PAE(StageType, []byte(environment+" "+sha256))
}
