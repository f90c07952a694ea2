package events

import (
	"errors"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// ToolsSyncRequested records that an operator began to copy tools into the store.
type ToolsSyncRequested struct {
	Request  Request          `json:"request"`
	Source   string           `json:"source"`
	Wanted   []version.Binary `json:"wanted"`
	SignedBy string           `json:"signed_by,omitempty"` // whose signature is on the source's metadata
	Unsigned bool             `json:"unsigned,omitempty"`  // there is no signature, and the operator allowed that for this source
}

// Asked gives the request.
func (e *ToolsSyncRequested) Asked() Request { return e.Request }

func (*ToolsSyncRequested) Kind() string { return "tools.sync_requested/1" }

func (*ToolsSyncRequested) Entity() string { return entityTools }

// Validate checks the request.
func (e *ToolsSyncRequested) Validate() error {
	return errors.Join(e.Request.Validate(), needText("source", e.Source, 2048))
}

// ToolsStored says that an archive is complete in the object store, named by its digest.
type ToolsStored struct {
	Tools    tools.Tools `json:"tools"`
	Source   string      `json:"source"`              // where it came from, for a person
	SignedBy string      `json:"signed_by,omitempty"` // whose signature is on the source's metadata
	Unsigned bool        `json:"unsigned,omitempty"`  // there is no signature, and an operator allowed that for this source
}

func (*ToolsStored) Kind() string { return "tools.stored/1" }

func (*ToolsStored) Entity() string { return entityTools }

// Validate checks the tools.
func (e *ToolsStored) Validate() error {
	return errors.Join(e.Tools.Validate(), needText("source", e.Source, 2048))
}

// ToolsMissed says that an archive which an upgrade needs could not be fetched at the first try. The
// state server tries again, and does not record the later failures.
type ToolsMissed struct {
	Tools  tools.Tools `json:"tools"`
	Reason string      `json:"reason"`
}

func (*ToolsMissed) Kind() string { return "tools.missed/1" }

func (*ToolsMissed) Entity() string { return entityTools }

// Validate checks the tools and asks for a reason.
func (e *ToolsMissed) Validate() error {
	if e.Reason == "" {
		return errors.New("no reason")
	}
	return errors.Join(e.Tools.Validate(), needText("reason", e.Reason, 4096))
}

// ToolsMarked records what a publisher says of a version: that it is revoked, a floor, a dead end, or
// none of these any more. It replaces what the same publisher said of the version before.
type ToolsMarked struct {
	Version  version.Number `json:"version"`
	Marks    tools.Marks    `json:"marks"`
	Source   string         `json:"source"`
	SignedBy string         `json:"signed_by,omitempty"`
	Signing  uint64         `json:"signing,omitempty"` // counter of the signed metadata
}

func (*ToolsMarked) Kind() string { return "tools.marked/1" }

func (*ToolsMarked) Entity() string { return entityTools }

// Validate asks for the version.
func (e *ToolsMarked) Validate() error {
	if e.Version.IsZero() {
		return errors.New("no version")
	}
	return errors.Join(needText("source", e.Source, 2048), needText("revoked", e.Marks.Revoked, 1024))
}

// SourceLost says that a source of tools cannot be read: the state server cannot reach it, or does
// not trust it. Only the first failure is recorded.
type SourceLost struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
}

func (*SourceLost) Kind() string { return "tools.source_lost/1" }

func (*SourceLost) Entity() string { return entityTools }

// Validate asks for the source.
func (e *SourceLost) Validate() error {
	if e.Source == "" {
		return errors.New("no source")
	}
	return errors.Join(needText("source", e.Source, 2048), needText("reason", e.Reason, 4096))
}

// SourceReturned says that a lost source can be read again, or that nobody searches it any more.
type SourceReturned struct {
	Source string `json:"source"`
}

func (*SourceReturned) Kind() string { return "tools.source_returned/1" }

func (*SourceReturned) Entity() string { return entityTools }

// Validate asks for the source.
func (e *SourceReturned) Validate() error {
	if e.Source == "" {
		return errors.New("no source")
	}
	return needText("source", e.Source, 2048)
}
