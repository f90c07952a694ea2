package wire

import "github.com/jujube-project/jujube/events/tools"

// PieceHead says what a piece of an archive belongs to.
type PieceHead struct {
	Tools   tools.Tools `json:"tools"`
	Request string      `json:"request"` // id of the accepted request that announced the archive
	Offset  int64       `json:"offset"`
}

// PieceAnswer tells how much the state server has on disk. The archive is stored and in
// the log when Done is set.
type PieceAnswer struct {
	Next  int64  `json:"next"`
	Done  bool   `json:"done"`
	Again bool   `json:"again,omitempty"` // nothing is left of what was on its way: ask anew how much is there
	Error string `json:"error,omitempty"`
	Bad   bool   `json:"bad,omitempty"` // Error is about the archive itself: sending it again is no use
}
