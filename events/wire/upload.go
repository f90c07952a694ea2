package wire

import "github.com/jujube-project/jujube/events/tools"

// PieceHead says of a piece of an upload which archive it is part of, and where it belongs
// there. An operator uploads an archive after a sync-tools request has announced it.
type PieceHead struct {
	Tools   tools.Tools `json:"tools"`
	Request string      `json:"request"` // id of that request
	Offset  int64       `json:"offset"`  // of the piece in the archive, in bytes
}

// PieceAnswer is the answer to a piece: how much of the archive the state server has on disk.
// Pieces are answered in the order in which they were sent.
type PieceAnswer struct {
	Next  int64  `json:"next"`            // so many bytes of the archive, from its first one on
	Done  bool   `json:"done"`            // the whole archive is stored, and the log says so
	Again bool   `json:"again,omitempty"` // pieces that were on their way are lost: ask how much is there, and go on from there
	Error string `json:"error,omitempty"`
	Bad   bool   `json:"bad,omitempty"` // the archive itself is refused: sending it again is of no use
}
