package server_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/server"
)

// fuzzAccounts are those of some environment.
func fuzzAccounts(f *testing.F) *server.Accounts {
	f.Helper()
	accounts, err := server.NewAccounts("11111111-2222-3333-4444-555555555555")
	if err != nil {
		f.Fatal(err)
	}
	return accounts
}

func FuzzLoadAccounts(f *testing.F) {
	path := filepath.Join(f.TempDir(), "trust.json")
	if err := fuzzAccounts(f).Save(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		accounts, err := server.LoadAccounts(path)
		if err != nil {
			return
		}
		_, _ = accounts.AgentJWT("machine-1", "U")
		_, _, _ = accounts.Authorities[0].Sign([]string{"localhost"}, time.Now())
		_, _ = accounts.Revocations(server.Revoked{})
	})
}

func FuzzAuthority(f *testing.F) {
	a := fuzzAccounts(f).Authorities[0]
	f.Add(a.Certificate, a.Key)
	f.Add("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", "")
	f.Fuzz(func(_ *testing.T, certificate, key string) {
		_, _ = server.Authority{Certificate: certificate, Key: key}.Ends()
	})
}
