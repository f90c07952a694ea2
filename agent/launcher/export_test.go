package launcher

import (
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
)

// Starts is one launcher's work on the disk, without a process: tests of crashes play the
// agent themselves.
type Starts struct{ l *launcher }

func NewStarts(cfg Config) Starts {
	cfg.Timing = cfg.Timing.orDefaults()
	return Starts{&launcher{cfg: cfg, layout: cfg.Layout}}
}

// Next is what the launcher does before a start, and the version that it starts.
func (s Starts) Next() (version string, err error) {
	j := s.l.converge()
	version, exe, err := s.l.choose(j)
	if err != nil {
		return "", err
	}
	return version, exe.Close()
}

// Healthy is what the launcher does when the agent on trial says so.
func (s Starts) Healthy(order string) (j install.Journal, ok bool) { return s.l.commit(order) }

// Crashed is what the launcher does when a version has ended by itself.
func (s Starts) Crashed(version string) {
	s.l.judge(trial.Run{Version: version, Failure: failed(events.CauseVersion, "crashed", "it crashed")})
}
