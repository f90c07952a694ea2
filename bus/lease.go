package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const leaseKey = "leader"

// lease is one try to lead. The key expires by itself when its holder stops renewing.
type lease struct {
	conn     *Conn
	id       string
	ttl      time.Duration
	kv       jetstream.KeyValue
	revision uint64
}

// take waits until the lease is free and takes it. A key with the own id is a lease
// that this very process held before it was restarted: it is taken over.
func (l *lease) take(ctx context.Context) (err error) {
	if l.kv, err = l.conn.js.KeyValue(ctx, names.BucketLease); err != nil {
		return fmt.Errorf("take the lease: %w", translate(err))
	}
	watch, err := l.kv.Watch(ctx, leaseKey)
	if err != nil {
		return fmt.Errorf("take the lease: %w", translate(err))
	}
	defer func() { _ = watch.Stop() }()
	for {
		l.revision, err = l.kv.Create(ctx, leaseKey, []byte(l.id), jetstream.KeyTTL(l.ttl))
		if err == nil {
			return nil
		}
		if held, getErr := l.kv.Get(ctx, leaseKey); getErr == nil && string(held.Value()) == l.id {
			l.revision = held.Revision()
			if err = l.renew(ctx); err == nil {
				return nil
			}
		}
		select {
		case <-watch.Updates():
		case <-time.After(l.ttl / 3):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// renew writes the key again, only if nobody else did. KeyValue.Update cannot set a TTL.
func (l *lease) renew(ctx context.Context) error {
	m := nats.NewMsg("$KV." + names.BucketLease + "." + leaseKey)
	m.Data = []byte(l.id)
	ack, err := l.conn.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(l.revision), jetstream.WithMsgTTL(l.ttl))
	if err != nil {
		return fmt.Errorf("renew the lease: %w", translate(err))
	}
	l.revision = ack.Sequence
	return nil
}

// keep renews until ctx ends or the lease is lost: taken by another, or not renewed for
// as long as it lasts.
func (l *lease) keep(ctx context.Context) {
	tick := time.NewTicker(l.ttl / 3)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, l.ttl/3)
			defer cancel()
			return l.renew(ctx)
		}()
		switch {
		case err == nil:
			renewed = time.Now()
		case errors.Is(err, context.Canceled):
			return
		case time.Since(renewed) > l.ttl:
			l.conn.cfg.Logger.Warn("lost the lease", "err", err)
			return
		}
	}
}

// give lets the next state server start at once instead of after the lease's time.
func (l *lease) give() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.kv.Delete(ctx, leaseKey, jetstream.LastRevision(l.revision)); err != nil {
		l.conn.cfg.Logger.Debug("giving the lease back", "err", err)
	}
}
