package bus

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// NATS keeps an object as messages of one stream: its chunks, all on one subject, and behind
// them one message that describes it. An object without a description is not visible.
// Source: NATS ADR-20.

// objectInfo is the description of an object, as far as it is used here.
type objectInfo struct {
	Name        string `json:"name"`        // the digest that it was stored under
	Description string `json:"description"` // for a person; metadataName tells metadata from archives
	NUID        string `json:"nuid"`        // in the subject of its chunks
	Size        int64  `json:"size"`
	Chunks      uint64 `json:"chunks"`
	Deleted     bool   `json:"deleted"`
	Options     struct {
		ChunkSize int64 `json:"max_chunk_size"`
	} `json:"options"`
}

// describedBy is the subject of an object's description.
func describedBy(sha256 string) string {
	return names.SubjectDescribed + base64.URLEncoding.EncodeToString([]byte(sha256))
}

// chunkSubject is the subject of an object's chunks.
func chunkSubject(nuid string) string { return names.SubjectChunks + nuid }

// info returns an object's description and the sequence at which that is stored, or
// ErrNotFound if there is no such object.
func (s *ToolStore) info(ctx context.Context, sha256 string) (objectInfo, uint64, error) {
	m, err := s.conn.getLast(ctx, names.StreamTools, describedBy(sha256))
	if err != nil {
		return objectInfo{}, 0, err
	}
	info, err := parseInfo(m)
	if err == nil && info.Deleted {
		err = fmt.Errorf("read object %s: %w", sha256, ErrNotFound)
	}
	return info, m.seq, err
}

func parseInfo(m stored) (objectInfo, error) {
	var info objectInfo
	if err := json.Unmarshal(m.data, &info); err != nil {
		return info, fmt.Errorf("read the description of an object, %s: %w", m.subject, err)
	}
	return info, nil
}

// objects are the descriptions of all whole objects, in the order of their names.
func (s *ToolStore) objects(ctx context.Context) ([]objectInfo, error) {
	described, err := s.subjects(ctx, names.SubjectDescribed+"*")
	if err != nil {
		return nil, err
	}
	var list []objectInfo
	for subject := range described {
		m, err := s.conn.getLast(ctx, names.StreamTools, subject)
		if err != nil {
			return nil, err
		}
		info, err := parseInfo(m)
		if err != nil {
			return nil, err
		}
		if !info.Deleted {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b objectInfo) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// subjects counts the messages of each subject that a filter matches.
func (s *ToolStore) subjects(ctx context.Context, filter string) (map[string]uint64, error) {
	stream, err := s.conn.js.Stream(ctx, names.StreamTools)
	if err != nil {
		return nil, translate(err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, translate(err)
	}
	return info.State.Subjects, nil
}

// purge removes all messages of a subject.
func (s *ToolStore) purge(ctx context.Context, subject string) error {
	stream, err := s.conn.js.Stream(ctx, names.StreamTools)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", subject, translate(err))
	}
	return nil
}

// Remove removes an archive. One that is being stored stays. Only a state server may call it.
func (s *ToolStore) Remove(ctx context.Context, sha256 string) error {
	if !s.begin(sha256) {
		return fmt.Errorf("remove %s: %w", sha256, ErrBusy)
	}
	defer s.end(sha256)
	return s.remove(ctx, sha256)
}

// remove removes an object that was stored here, whose NUID is its digest. Its description
// goes first: an object that has lost chunks is never visible.
func (s *ToolStore) remove(ctx context.Context, sha256 string) error {
	if err := s.purge(ctx, describedBy(sha256)); err != nil {
		return err
	}
	return s.purge(ctx, chunkSubject(sha256))
}
