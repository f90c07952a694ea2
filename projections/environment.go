package projections

import "github.com/jujube-project/jujube/events"

func (s *State) foldCreated(p *events.EnvironmentCreated) bool {
	if s.UUID != "" {
		return false // only the first one made the environment
	}
	s.UUID, s.Name, s.AgentVersion = p.UUID, p.Name, p.AgentVersion
	s.Trust.Roster.Operators, s.Root = p.Operators, p.Root
	return true
}

func (s *State) foldSetting(p *events.SettingChanged) {
	if p.Unset {
		delete(s.Settings, p.Key)
		return
	}
	s.Settings[p.Key] = p.Value
}
