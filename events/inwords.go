package events

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// InWords says what a request asks for, for a person who is about to agree to it. The first line has
// all but the values of environment variables, which may be secrets; the lines behind it have those, and
// the archives of an upgrade. Texts are quoted, so that none is taken for another part of it.
func (a Ask) InWords() []string {
	switch {
	case a.Upgrade != nil && a.Action == ActionUpgrade:
		return a.Upgrade.inWords(a.Machines)
	case a.Deploy != nil && a.Action == ActionDeploy:
		d := a.Deploy
		return unitInWords("run", d.Service, d.Machine, d.Restart, d.Command, d.Env)
	case a.AddUnit != nil && a.Action == ActionAddUnit:
		d := a.AddUnit
		return unitInWords("run once more", d.Service, d.Machine, d.Restart, d.Command, d.Env)
	case a.Action == ActionResolved:
		return []string{fmt.Sprintf("let machine %s try again the versions that failed there", word(a.Resolved))}
	case a.Action == ActionSetEnv:
		var words []string
		for _, k := range slices.Sorted(maps.Keys(a.SetEnv)) {
			words = append(words, fmt.Sprintf("%s to %q", word(k), a.SetEnv[k]))
		}
		return []string{"set " + strings.Join(words, ", ")}
	case a.Action == ActionUnsetEnv:
		var words []string
		for _, k := range a.UnsetEnv {
			words = append(words, word(k))
		}
		return []string{"set back to their defaults: " + strings.Join(words, ", ")}
	}
	return []string{word(a.Action)}
}

// word quotes what is no word.
func word(s string) string {
	if IsID(s) {
		return s
	}
	return strconv.Quote(s)
}

func (u *AskUpgrade) inWords(machines *MachineList) []string {
	n := 0
	if machines != nil {
		n = machines.Count
	}
	text := fmt.Sprintf("upgrade %d machines to %s", n, u.To)
	if u.Rollback {
		text += "; those that run a newer version go back to it"
	}
	if u.Reset {
		text += "; an upgrade in progress is aborted"
	}
	lines := []string{text}
	for _, t := range u.Artefacts {
		lines = append(lines, fmt.Sprintf("%s  sha256 %s", t.Version, t.SHA256))
	}
	return lines
}

func unitInWords(verb, service, machine, restart string, command []string, env map[string]string) []string {
	if restart == "" {
		restart = RestartAlways
	}
	names := slices.Sorted(maps.Keys(env))
	lines := []string{fmt.Sprintf("%s on machine %s, as a unit of %s: %q, restart %s, environment %q", verb, word(machine), word(service), command,
		word(restart), names)}
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("environment %q=%q", name, env[name]))
	}
	return lines
}
