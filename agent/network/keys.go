package network

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/jujube-project/jujube/agent/connection"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
)

// What the network half asks for of the machine's keys.
const (
	keyToken       = "token"
	keyAuthorities = "authorities"
	keySign        = "sign"
	keyLife        = "life"
	keyEnrol       = "enrol"
	keyNonce       = "nonce"
	keyKeep        = "keep"
)

type keyQuestion struct {
	Ask        string       `json:"ask"`
	Bytes      []byte       `json:"bytes,omitempty"`
	Generation uint64       `json:"generation,omitempty"`
	Renewed    wire.Renewed `json:"renewed,omitzero"`
}

type keyAnswer struct {
	Text  string          `json:"text,omitempty"`
	Bytes []byte          `json:"bytes,omitempty"`
	Life  bus.Life        `json:"life,omitzero"`
	Enrol bus.Credentials `json:"enrol,omitzero"`
	Error string          `json:"error,omitempty"`
}

// errNotSigned: the network half asked for a signature over something that is not for connecting.
var errNotSigned = errors.New("the network half asked the machine's key to sign something else than a proof for connecting; nothing was signed")

// serveKeys answers what the network half asks of the keys, until it is gone.
func serveKeys(conn net.Conn, keys connection.Keys) error {
	for {
		var q keyQuestion
		if err := readJSON(conn, &q); err != nil {
			return err
		}
		if err := writeJSON(conn, answerKeys(keys, q)); err != nil {
			return err
		}
	}
}

func answerKeys(keys connection.Keys, q keyQuestion) (a keyAnswer) {
	var err error
	if _, host := keys.(hostKey); host && q.Ask != keySign {
		return keyAnswer{Error: "this host is not enrolled"}
	}
	switch q.Ask {
	case keyToken:
		a.Text, err = keys.Token()
	case keyAuthorities:
		a.Text, err = keys.Authorities()
	case keySign:
		if err = errNotSigned; bus.IsForConnecting(q.Bytes) {
			a.Bytes, err = keys.Sign(q.Bytes)
		}
	case keyLife:
		a.Life, err = keys.Life()
	case keyEnrol:
		a.Enrol, err = keys.Enrol()
	case keyNonce:
		a.Text, err = keys.Nonce(q.Generation)
	case keyKeep:
		a.Life, err = keep(keys, q.Renewed)
	default:
		err = fmt.Errorf("it asks for %.20q", q.Ask)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

func keep(keys connection.Keys, r wire.Renewed) (bus.Life, error) {
	unlock, err := keys.Lock()
	if err != nil {
		return bus.Life{}, err
	}
	defer unlock()
	return keys.Keep(r)
}

// remoteKeys are the machine's keys as the network half has them: it asks the agent.
type remoteKeys struct {
	public string
	mu     sync.Mutex // held from a question to its answer
	conn   net.Conn
}

var _ connection.Keys = (*remoteKeys)(nil)

func (k *remoteKeys) ask(q keyQuestion) (a keyAnswer, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := writeJSON(k.conn, q); err != nil {
		return a, err
	}
	if err := readJSON(k.conn, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Public implements connection.Keys.
func (k *remoteKeys) Public() string { return k.public }

// Sign implements connection.Keys.
func (k *remoteKeys) Sign(b []byte) ([]byte, error) {
	a, err := k.ask(keyQuestion{Ask: keySign, Bytes: b})
	return a.Bytes, err
}

// Token implements connection.Keys.
func (k *remoteKeys) Token() (string, error) {
	a, err := k.ask(keyQuestion{Ask: keyToken})
	return a.Text, err
}

// Authorities implements connection.Keys.
func (k *remoteKeys) Authorities() (string, error) {
	a, err := k.ask(keyQuestion{Ask: keyAuthorities})
	return a.Text, err
}

// Life implements connection.Keys.
func (k *remoteKeys) Life() (bus.Life, error) {
	a, err := k.ask(keyQuestion{Ask: keyLife})
	return a.Life, err
}

// Enrol implements connection.Keys.
func (k *remoteKeys) Enrol() (bus.Credentials, error) {
	a, err := k.ask(keyQuestion{Ask: keyEnrol})
	return a.Enrol, err
}

// Nonce implements connection.Keys.
func (k *remoteKeys) Nonce(generation uint64) (string, error) {
	a, err := k.ask(keyQuestion{Ask: keyNonce, Generation: generation})
	return a.Text, err
}

// Keep implements connection.Keys.
func (k *remoteKeys) Keep(r wire.Renewed) (bus.Life, error) {
	a, err := k.ask(keyQuestion{Ask: keyKeep, Renewed: r})
	return a.Life, err
}

// Lock implements connection.Keys. The agent locks while it keeps. Two who renew at once ask with
// one nonce, and are given credentials of one generation.
func (k *remoteKeys) Lock() (unlock func(), err error) { return func() {}, nil }
