package tools

import (
	"errors"
	"time"
)

// Statement is what a signature on a file of metadata says of it, beside that its bytes
// are the signer's.
type Statement struct {
	Path    string    `json:"path"`             // of the file, below the tools directory
	Stream  string    `json:"stream,omitempty"` // that it lists; empty: the index of all
	Counter uint64    `json:"counter"`          // grows with every signing; all files of one signing share it
	Expires time.Time `json:"expires"`
	Signer  string    `json:"signer"` // who signs, as a person would compare it
}

// Verifier decides who is believed. It is the seat of trust: what reads metadata asks it
// and nothing else.
type Verifier interface {
	// Verify checks a detached signature over the exact content of the file at path and
	// returns what it says. It returns ErrSignature when the signature is malformed or
	// not over these bytes and this path, ErrSigner when it is of nobody who is trusted,
	// ErrExpired when its time is over.
	Verify(path string, content, signature []byte) (Statement, error)
}

// Signer signs metadata, and verifies what it signed itself.
type Signer interface {
	Verifier
	// Sign gives a detached signature over content. It sets Statement.Signer itself.
	Sign(s Statement, content []byte) ([]byte, error)
}

// Refusals of signed metadata.
var (
	ErrUnsigned  = errors.New("it is not signed")
	ErrSignature = errors.New("its signature does not fit")
	ErrSigner    = errors.New("its signer is not trusted")
	ErrExpired   = errors.New("its signature has expired")
)
