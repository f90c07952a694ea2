package statesrv

import "path/filepath"

// Dir is the directory of a state server. All its files lie in there, below the data directory of the
// machine on which it runs.
func Dir(dataDir string) string { return filepath.Join(dataDir, "server") }

// TrustFile holds the keys of the NATS accounts, with which credentials are signed. It is secret.
func TrustFile(dataDir string) string { return filepath.Join(Dir(dataDir), "trust.json") }

// CredentialsFile holds the credentials with which the state server connects to NATS. It is secret.
func CredentialsFile(dataDir string) string { return filepath.Join(Dir(dataDir), "state-server.creds") }

// LogKeyFile holds the key that signs the log's checkpoints. It is secret and never leaves the host.
func LogKeyFile(dataDir string) string { return filepath.Join(Dir(dataDir), "log.key") }

// StoreDir is where an embedded NATS keeps its files.
func StoreDir(dataDir string) string { return filepath.Join(Dir(dataDir), "jetstream") }

// configFile is the configuration that bootstrap wrote. A machine that has it is a state server.
func configFile(dataDir string) string { return filepath.Join(Dir(dataDir), "server.yaml") }

// siteKeysFile holds the state server's two keys of the signed metadata, and siteBundleFile the metadata
// that opens the log. The first is secret.
func siteKeysFile(dataDir string) string   { return filepath.Join(Dir(dataDir), "site.json") }
func siteBundleFile(dataDir string) string { return filepath.Join(Dir(dataDir), "site-first.json") }
