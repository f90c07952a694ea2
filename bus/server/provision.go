package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
)

// Provision makes the streams and buckets that the environment lacks, and returns an error if
// one that exists is not as this environment needs it. It changes none. replicas is 1 for an
// embedded server, 3 or 5 for a cluster. Only a state server may call it.
func Provision(ctx context.Context, conn *bus.Conn, replicas int) error {
	js := conn.JetStream()
	for _, cfg := range []jetstream.StreamConfig{logConfig(replicas), requestsConfig(replicas), checkpointsConfig(replicas)} {
		if err := provisionStream(ctx, js, cfg); err != nil {
			return err
		}
	}
	_, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket: names.BucketTools, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err = there(ctx, js, names.StreamTools, err); err != nil {
		return fmt.Errorf("make bucket %s: %w", names.BucketTools, err)
	}
	_, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: names.BucketLease, Storage: jetstream.FileStorage, Replicas: replicas, LimitMarkerTTL: time.Minute,
	})
	if err = there(ctx, js, names.StreamLease, err); err != nil {
		return fmt.Errorf("make bucket %s: %w", names.BucketLease, err)
	}
	return nil
}

// there judges the error of making a bucket. nats.go returns one for a bucket that exists with
// another configuration, with other replicas for instance. Such a bucket is used as it is, if
// it is durable and readable: no role may change it.
func there(ctx context.Context, js jetstream.JetStream, stream string, err error) error {
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return bus.Translate(err)
	}
	s, err := js.Stream(ctx, stream)
	if err == nil && (s.CachedInfo().Config.Storage != jetstream.FileStorage || !s.CachedInfo().Config.AllowDirect) {
		err = errors.New("it has other settings than this environment needs; nothing was changed")
	}
	return bus.Translate(err)
}

// logConfig: nothing is ever deleted from LOG. NATS republishes each record after its commit,
// with the record's sequence in a header.
func logConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: names.StreamLog, Subjects: []string{names.SubjectLog + ">"},
		Storage: jetstream.FileStorage, Replicas: replicas,
		DenyDelete: true, DenyPurge: true, AllowDirect: true, AllowAtomicPublish: true,
		RePublish: &jetstream.RePublish{Source: names.SubjectLog + ">", Destination: names.SubjectLive + ">"},
	}
}

// requestsConfig: REQUESTS takes one message a subject, for ever, so that a request id is used
// once. Operators publish here themselves, and NATS obeys the headers of a message: roll-ups,
// TTLs, schedules and batches stay off, since by them an operator could remove messages or
// store them on another's subject.
func requestsConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: names.StreamRequests, Subjects: []string{names.SubjectRequest + "*.*"},
		Storage: jetstream.FileStorage, Replicas: replicas,
		DenyDelete: true, DenyPurge: true, AllowDirect: true,
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		MaxMsgSize: limits.RequestBytes + limits.HeaderBytes,
	}
}

// checkpointsConfig: CHECKPOINTS keeps the newest message only.
func checkpointsConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: names.StreamCheckpoints, Subjects: []string{names.SubjectCheckpoint},
		Storage: jetstream.FileStorage, Replicas: replicas,
		DenyDelete: true, DenyPurge: true, AllowDirect: true, MaxMsgsPerSubject: 1,
	}
}

// provisionStream makes a stream, or checks the one that exists. It checks one that it made, too:
// NATS may have changed the configuration without an error.
func provisionStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) error {
	s, err := js.CreateStream(ctx, want)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		s, err = js.Stream(ctx, want.Name)
	}
	if err != nil {
		return fmt.Errorf("make stream %s: %w", want.Name, bus.Translate(err))
	}
	if wrong := differences(s.CachedInfo().Config, want); len(wrong) > 0 {
		return fmt.Errorf("use stream %s: NATS keeps it with other settings than this environment needs: %s; nothing was changed; "+
			"it must be a stream that jujud made, on nats-server 2.15 or newer", want.Name, strings.Join(wrong, ", "))
	}
	return nil
}

// differences are the settings of a stream, by NATS's names, that would break a promise. A
// stream that is kept for ever must have none of NATS's limits.
func differences(got, want jetstream.StreamConfig) []string {
	var wrong []string
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"storage", got.Storage == want.Storage},
		{"deny_delete", got.DenyDelete},
		{"deny_purge", got.DenyPurge},
		{"allow_direct", got.AllowDirect},
		{"allow_atomic", got.AllowAtomicPublish == want.AllowAtomicPublish},
		{"allow_batched", !got.AllowBatchPublish},
		{"allow_rollup_hdrs", !got.AllowRollup},
		{"allow_msg_ttl", !got.AllowMsgTTL},
		{"allow_msg_schedules", !got.AllowMsgSchedules},
		{"persist_mode", got.PersistMode == jetstream.DefaultPersistMode},
		{"retention", got.Retention == jetstream.LimitsPolicy},
		{"max_msgs", got.MaxMsgs <= 0},
		{"max_bytes", got.MaxBytes <= 0},
		{"max_age", got.MaxAge == 0},
		{"max_msgs_per_subject", max(got.MaxMsgsPerSubject, 0) == want.MaxMsgsPerSubject},
		{"discard_new_per_subject", got.DiscardNewPerSubject == want.DiscardNewPerSubject},
		{"republish", want.RePublish == nil || got.RePublish != nil && *got.RePublish == *want.RePublish},
	} {
		if !c.ok {
			wrong = append(wrong, c.name)
		}
	}
	return wrong
}
