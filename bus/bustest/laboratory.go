package bustest

import (
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// laboratory stops the server and runs f on its files without any permissions, as whoever has
// the disk of a NATS can do with a server of his own. Then it starts the server again.
func (b *Bus) laboratory(f func(js jetstream.JetStream) error) {
	b.T.Helper()
	port := b.port()
	b.Server.Close()
	account := server.NewAccount(b.Accounts.IDs["CONTROL"])
	opts := &server.Options{
		DontListen: true, NoLog: true, NoSigs: true, JetStream: true, StoreDir: b.dir, Accounts: []*server.Account{account},
		Users: []*server.User{{Username: "admin", Password: "admin", Account: account}},
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		b.T.Fatal(err)
	}
	srv.Start()
	defer func() {
		srv.Shutdown()
		srv.WaitForShutdown()
		b.start(port)
	}()
	account, err = srv.LookupAccount(account.Name)
	if err == nil {
		err = account.EnableJetStream(nil, nil)
	}
	if err != nil {
		b.T.Fatal(err)
	}
	nc, err := nats.Connect("", nats.InProcessServer(srv), nats.UserInfo("admin", "admin"))
	if err != nil {
		b.T.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err == nil {
		err = f(js)
	}
	if err != nil {
		b.T.Error(err)
	}
}

// Loosen makes the log anew, empty, as a stream of which Delete can delete records.
func (b *Bus) Loosen() {
	b.T.Helper()
	b.laboratory(func(js jetstream.JetStream) error {
		_, err := loosen(b, js)
		return err
	})
}

func loosen(b *Bus, js jetstream.JetStream) (jetstream.Stream, error) {
	s, err := js.Stream(b.T.Context(), "LOG")
	if err != nil {
		return nil, err
	}
	cfg := s.CachedInfo().Config
	cfg.DenyDelete, cfg.DenyPurge = false, false
	if err := js.DeleteStream(b.T.Context(), cfg.Name); err != nil {
		return nil, err
	}
	return js.CreateStream(b.T.Context(), cfg)
}

// Delete deletes a record of a log that Loosen has made.
func (b *Bus) Delete(seq uint64) {
	b.T.Helper()
	b.laboratory(func(js jetstream.JetStream) error {
		s, err := js.Stream(b.T.Context(), "LOG")
		if err != nil {
			return err
		}
		return s.DeleteMsg(b.T.Context(), seq)
	})
}

// Rewrite makes the log anew, with what change makes of each record, as somebody would who
// restores a backup that he has altered. The new log ends before the first record of which
// change makes nil.
func (b *Bus) Rewrite(change func(seq uint64, data []byte) []byte) {
	b.T.Helper()
	b.laboratory(func(js jetstream.JetStream) error {
		s, err := js.Stream(b.T.Context(), "LOG")
		if err != nil {
			return err
		}
		var kept []*jetstream.RawStreamMsg
		for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
			m, err := s.GetMsg(b.T.Context(), seq)
			if err != nil {
				return err
			}
			kept = append(kept, m)
		}
		if _, err = loosen(b, js); err != nil {
			return err
		}
		for _, m := range kept {
			data := change(m.Sequence, m.Data)
			if data == nil {
				return nil
			}
			if _, err := js.Publish(b.T.Context(), m.Subject, data); err != nil {
				return err
			}
		}
		return nil
	})
}
