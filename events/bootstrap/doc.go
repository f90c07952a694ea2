// Package bootstrap is what juju and jujud say to each other while they make an environment.
//
// The client runs `jujud bootstrap --data-dir DIR` and speaks with it over its standard
// input and output, one JSON document at a time:
//
//	juju   Plan    what the operator decided, and his public key
//	jujud  Keys    the public keys that it made for the state server
//	juju   Signed  the environment's first metadata, signed by the operator's own keys
//	jujud  Made    what the client needs in order to connect
//
// No private key crosses. The operator's keys, those of the roles root and targets among
// them, stay with the client; the state server's keys stay in DIR.
//
// Before Signed has arrived, jujud has nothing on disk. When the client goes away before
// that, nothing is left of the attempt.
package bootstrap
