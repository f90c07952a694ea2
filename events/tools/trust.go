package tools

import "errors"

// Refusals of a source's metadata. Each stands beside the reason that package tuf gives.
var (
	ErrUnsigned  = errors.New("it is not signed")
	ErrSignature = errors.New("its signature does not fit")
	ErrSigner    = errors.New("its signer is not trusted")
	ErrExpired   = errors.New("its signature has expired")
)
