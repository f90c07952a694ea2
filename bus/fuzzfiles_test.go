package bus_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
)

// fuzzFile is a secret's file that holds b.
func fuzzFile(t testing.TB, dir string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fuzzAccounts are those of some environment.
func fuzzAccounts(f *testing.F) *server.Accounts {
	f.Helper()
	accounts, err := server.NewAccounts("11111111-2222-3333-4444-555555555555")
	if err != nil {
		f.Fatal(err)
	}
	return accounts
}

func FuzzLoadCredentials(f *testing.F) {
	accounts, dir := fuzzAccounts(f), f.TempDir()
	id, err := bus.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	token, err := accounts.AgentJWT("machine-1", id.Public())
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "agent.creds")
	if err := (bus.Credentials{JWT: token, Seed: string(id.Seed())}).Save(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := bus.LoadCredentials(fuzzFile(t, dir, b)); err == nil {
			_, _ = c.Identity()
		}
	})
}

func FuzzCertificates(f *testing.F) {
	f.Add([]byte(fuzzAccounts(f).Certificates()))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = bus.CheckAuthorities(string(b))
	})
}

func FuzzParseJoinToken(f *testing.F) {
	id, err := bus.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	token := bus.JoinToken{
		Environment: "e", Machine: "1", URLs: []string{"tls://h:1"},
		Authorities: fuzzAccounts(f).Certificates(), Seed: string(id.Seed()),
	}
	f.Add(token.String())
	f.Add("jujube1.")
	f.Add("jujube1.e30")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := bus.ParseJoinToken(text)
		if err == nil && (token.Machine == "" || len(token.URLs) == 0) {
			t.Fatalf("%q: half a token", text)
		}
	})
}

func FuzzUserJWT(f *testing.F) {
	id, err := bus.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	token, err := fuzzAccounts(f).OperatorJWT("alice", id.Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(_ *testing.T, token string) {
		_, _, _ = bus.Holder(token)
		_, _ = bus.LifeOf(token)
	})
}
