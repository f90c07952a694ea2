package tools

import "errors"

// Why the metadata of a source is refused, in words for a person. Each is wrapped together with the
// refusal of package tuf, which has the code.
var (
	ErrUnsigned  = errors.New("it is not signed")
	ErrSignature = errors.New("its signature does not fit")
	ErrSigner    = errors.New("its signer is not trusted")
	ErrExpired   = errors.New("its signature has expired")
)
