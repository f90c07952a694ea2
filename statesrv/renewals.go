package statesrv

import (
	"log/slog"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// renewals gives machines new credentials in time.
type renewals struct {
	writer      *writer.Writer
	issuer      issuer
	urls        []string // where machines connect
	authorities string   // file of the certificates that machines are told to believe; empty: they keep theirs
	logger      *slog.Logger
}

// onRenew queues a renewal. The machine gets its new credentials only after the log has the renewal.
func (s *renewals) onRenew(r bus.Renewal) {
	var out decide.Renewal
	s.writer.Submit(writer.Change{
		Decide: func(at decide.At) (d decide.Decision, err error) {
			d, out = decide.Renew(at, r.RenewRequest)
			return d, nil
		},
		Done: func(_ uint64, err error) {
			if err == nil && out.Refused != nil {
				err = out.Refused
				s.logger.Warn("refused to renew credentials", "machine", r.Machine, "key", r.Key, "err", err)
			}
			if err != nil {
				r.Answer(wire.Renewed{}, err)
				return
			}
			r.Answer(s.renewed(r.RenewRequest, out))
		},
	})
}

// renewed is the answer to a renewal that is in the log.
func (s *renewals) renewed(r wire.RenewRequest, out decide.Renewal) (answer wire.Renewed, err error) {
	answer.URLs = s.urls
	if s.authorities != "" {
		if answer.Authorities, err = bus.PinnedAuthorities(s.authorities); err != nil {
			return answer, err
		}
	}
	answer.JWT, err = s.issuer.RenewedJWT(events.MachineTag(r.Machine), r.Key, out.Generation, out.Ends)
	return answer, err
}
