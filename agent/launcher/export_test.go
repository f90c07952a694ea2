package launcher

import "github.com/jujube-project/jujube/agent/install"

// Starts is one launcher's work on the disk, without a process: tests of crashes play the
// agent themselves.
type Starts struct{ l *launcher }

func NewStarts(cfg Config) Starts {
	cfg.Timing = cfg.Timing.orDefaults()
	return Starts{&launcher{cfg: cfg, l: cfg.Layout}}
}

// Prepare is what Launch does before the first start.
func (s Starts) Prepare() error { return s.l.prepare() }

// Next is what the launcher does before a start, and the version that it starts.
func (s Starts) Next() (version string, err error) {
	for range 3 {
		s.l.converge()
		if version, err = s.l.l.Current(); err == nil {
			_, err = s.l.l.Verify(version)
		}
		if err == nil {
			return version, nil
		}
		if err := s.l.prepare(); err != nil {
			return "", err
		}
	}
	return version, err
}

// Healthy is what the launcher does when an agent says that.
func (s Starts) Healthy(order string) (install.Journal, error) { return s.l.commit(order) }
