package events

import (
	"crypto/sha256"
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
		return a.Deploy.inWords("run")
	case a.AddUnit != nil && a.Action == ActionAddUnit:
		return (*AskDeploy)(a.AddUnit).inWords("run once more")
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

func (d *AskDeploy) inWords(verb string) []string {
	restart := d.Restart
	if restart == "" {
		restart = RestartAlways
	}
	user := "root"
	switch d.User {
	case "":
	case UserOwn:
		user = "a user of its own"
	default:
		user = "the user " + word(d.User)
	}
	names := slices.Sorted(maps.Keys(d.Env))
	var values []string
	for _, name := range names {
		values = append(values, fmt.Sprintf("environment %q=%q", name, d.Env[name]))
	}
	if d.Secrets != nil {
		names = append(names, d.Secrets.Names...)
		values = append(values, fmt.Sprintf("environment %q: sealed for the machine, nobody else can read it; sha256 %x", d.Secrets.Names,
			sha256.Sum256(d.Secrets.Box)))
	}
	first := fmt.Sprintf("%s on machine %s as %s, as a unit of %s: %q, restart %s, environment %q", verb, word(d.Machine), user, word(d.Service), d.Command,
		word(restart), names)
	return append([]string{first}, values...)
}
