package tuf

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Targets whose content decides about the others. If the targets name one of them, the bundle must
// bring its content.
const (
	FileOperators  = "operators.json"  // an events.Roster
	FileFloor      = "floor.json"      // a Floor
	FileRevoked    = "revoked.json"    // an events.Revoked
	FilePublishers = "publishers.json" // an events.Publishers
)

// Floor is the content of floor.json.
type Floor struct {
	Version version.Number `json:"version"` // nothing older may be installed
}

var filesRead = []string{FileOperators, FileFloor, FileRevoked, FilePublishers}

// IsRead says whether a target is one of the files whose content decides about the others.
func IsRead(name string) bool { return slices.Contains(filesRead, name) }

// Said is what the signed files say. A file that was not signed leaves its field zero.
type Said struct {
	Roster     events.Roster
	Floor      version.Number
	Revoked    events.Revoked
	Publishers *events.Publishers // nil: nobody has signed any
}

// takeFiles accepts the files of a bundle.
func (t *Trusted) takeFiles(files map[string][]byte) error {
	said, err := readFiles(t.target, files)
	if err != nil {
		return err
	}
	t.kept.Files, t.said = maps.Clone(files), said
	return nil
}

// readFiles reads the files of a bundle. Each must be a target, with the length and digest of that
// target. Of the files that are read, none that is a target may be missing.
func readFiles(targets shape, files map[string][]byte) (Said, error) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		target, ok := targets.Signed.Targets[name]
		if !ok {
			return Said{}, events.Refuse(events.CodeTUFMismatch, "the file %.80q is no target", name)
		}
		if target.Length != int64(len(files[name])) || target.Hashes["sha256"] != digest(files[name]) {
			return Said{}, events.Refuse(events.CodeTUFMismatch, "the file %.80q is not the one that was signed", name)
		}
	}
	for _, name := range filesRead {
		if _, named := targets.Signed.Targets[name]; named && files[name] == nil {
			return Said{}, events.Refuse(events.CodeTUFMismatch, "the file %s was signed and is not there", name)
		}
	}
	return said(files)
}

func said(files map[string][]byte) (s Said, err error) {
	var floor Floor
	var publishers events.Publishers
	for _, f := range []struct {
		name     string
		into     any
		validate func() error
	}{
		{FileOperators, &s.Roster, func() error { return s.Roster.Validate() }},
		{FileRevoked, &s.Revoked, func() error { return s.Revoked.Validate() }},
		{FileFloor, &floor, func() error { return nil }},
		{FilePublishers, &publishers, func() error { return publishers.Validate() }},
	} {
		b, ok := files[f.name]
		if !ok {
			continue
		}
		if err := readFile(f.name, b, f.into, f.validate); err != nil {
			return Said{}, err
		}
	}
	s.Floor = floor.Version
	if _, ok := files[FilePublishers]; ok {
		s.Publishers = &publishers
	}
	return s, nil
}

// readFile decodes one signed file. Unknown fields are refused: a release manager who wrote one meant it
// to hold, and this reader would ignore it.
func readFile(name string, b []byte, into any, validate func() error) error {
	if err := files.Check(b); err != nil {
		return events.Refuse(events.CodeTUFFormat, "%s: %v", name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return events.Refuse(events.CodeTUFFormat, "%s: %v", name, err)
	}
	if err := validate(); err != nil {
		return events.Refuse(events.CodeTUFFormat, "%s: %v", name, err)
	}
	return nil
}

// Tools says whether an archive may be installed: nil, or an *events.Reason with events.CodeTargetUnknown,
// events.CodeDigestDisagree or version.CodeRevoked. Expiry is not looked at: see Expires.
func (t Trusted) Tools(want tools.Tools) error {
	target, ok := t.target.Signed.Targets[want.FileName()]
	switch {
	case !ok:
		return events.Refuse(events.CodeTargetUnknown, "nobody signed %s", want.FileName())
	case target.Hashes["sha256"] != want.SHA256 || target.Length != want.Size:
		return events.Refuse(events.CodeDigestDisagree, "%s was signed with the digest %.12s… and %d bytes; asked for are %.12s… and %d", want.FileName(),
			target.Hashes["sha256"], target.Length, want.SHA256, want.Size)
	case slices.Contains(t.said.Revoked.Artefacts, want.SHA256):
		return events.Refuse(version.CodeRevoked, "%s with the digest %.12s… was taken back", want.FileName(), want.SHA256)
	}
	return nil
}

// Length is how many bytes were signed of the target of that name; the error is an *events.Reason with
// events.CodeTargetUnknown. A reader fetches no more than that.
func (t Trusted) Length(name string) (int64, error) {
	target, ok := t.target.Signed.Targets[name]
	if !ok {
		return 0, events.Refuse(events.CodeTargetUnknown, "nobody signed %.80q", name)
	}
	return target.Length, nil
}

// File says whether content is the target of that name: nil, or an *events.Reason with
// events.CodeTargetUnknown or events.CodeTUFMismatch. It is for files beside the metadata, such as the
// index of a tree.
func (t Trusted) File(name string, content []byte) error {
	target, ok := t.target.Signed.Targets[name]
	switch {
	case !ok:
		return events.Refuse(events.CodeTargetUnknown, "nobody signed %.80q", name)
	case target.Length != int64(len(content)) || target.Hashes["sha256"] != digest(content):
		return events.Refuse(events.CodeTUFMismatch, "%.80q is not the file that was signed", name)
	}
	return nil
}
