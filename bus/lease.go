package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// leaseKey is the only key of the lease's bucket. Its value is the id of the state server
// that leads.
const leaseKey = "leader"

// lease is one attempt to lead. The key has a TTL: when its holder stops renewing it, NATS
// removes it, and another state server can create it.
type lease struct {
	conn     *Conn
	id       string // of this state server
	ttl      time.Duration
	full     func() bool
	kv       jetstream.KeyValue
	revision uint64 // of the key, as this state server wrote it last
}

// Lead waits until no other state server holds the environment's lease, then runs f while
// this one holds it. It returns when f returns. If the lease is lost, or ctx ends, the
// context of f ends; Lead then waits for f. If NATS does not answer who wants to take the
// lease, the error is context.DeadlineExceeded.
//
// full says whether NATS can store nothing at this moment. Then nobody else can take the lease
// either, so whoever has it keeps it. nil: that is not known.
//
// The lease keeps two state servers from working against each other, and no more: clocks
// and networks may fail, so that for a moment two believe that they lead. What keeps the log
// right then is the expected last sequence of Log.Append.
func (c *Conn) Lead(ctx context.Context, id string, ttl time.Duration, full func() bool, f func(context.Context) error) error {
	l := &lease{conn: c, id: id, ttl: ttl, full: full}
	if err := l.take(ctx); err != nil {
		return err
	}
	leading, stop := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		defer stop()
		l.keep(leading)
	}()
	err := f(leading)
	stop()
	<-kept // keep must not renew what give gives back
	l.give()
	return err
}

// take waits until the key is free and creates it. A key that holds the own id was left by
// this state server, which has been started again: it is renewed instead.
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
		if err = translate(err); errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("take the lease: %w", err)
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

// renew writes the key again if nobody else has written it meanwhile. It publishes to the
// key's subject, because KeyValue.Update of nats.go cannot set a TTL.
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

// keep renews the lease until ctx ends or the lease is lost. It is lost when it could not be
// renewed for as long as it lasts, whatever the reason: by then another state server may
// have it.
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
		case errors.Is(err, context.Canceled):
			return
		case err == nil, l.full != nil && l.full():
			renewed = time.Now()
		case time.Since(renewed) > l.ttl:
			l.conn.cfg.Logger.Warn("lost the lease", "err", err)
			return
		}
	}
}

// give deletes the key, so that the next state server need not wait until it expires.
func (l *lease) give() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.kv.Delete(ctx, leaseKey, jetstream.LastRevision(l.revision)); err != nil {
		l.conn.cfg.Logger.Debug("giving the lease back", "err", err)
	}
}
