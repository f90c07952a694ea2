package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// BenchmarkWitness is what a command costs that asks one question: it connects, asks and leaves, over
// TLS and with the keys of an operator. Without the proof, the connection is that of audit verify; with
// it, the log has stayed as it was, or goes on each time, so that a newer checkpoint is kept on disk.
func BenchmarkWitness(b *testing.B) {
	b.Run("yardstick: a durable file", func(b *testing.B) {
		file, text := filepath.Join(b.TempDir(), "checkpoint"), make([]byte, 300)
		for b.Loop() {
			if err := host.WriteFile(file, text); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, c := range []struct {
		name    string
		connect func(context.Context, *app.App) (*session.Session, error)
		goesOn  bool
	}{
		{"without", session.ConnectToVerify, false},
		{"with", session.Connect, false},
		{"with, and the log goes on", session.Connect, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			client := servers.NewClient(b)
			log := client.SignLog()
			log.Pin()
			client.Answer(log.Proof(), statusAt(1<<40))
			a := clitest.In(client.Data)
			a.Environment = "prod"
			for n := 0; b.Loop(); n++ {
				if c.goesOn {
					b.StopTimer()
					client.Append("", &events.SettingChanged{Key: "k", Value: fmt.Sprint(n)})
					b.StartTimer()
				}
				s, err := c.connect(b.Context(), a)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := wire.Status.Ask(b.Context(), s, wire.Nothing{}); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
		})
	}
}
